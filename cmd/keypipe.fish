# fish's completion for keypipe and its programs. `make install` (pipelines/install.sh) writes what each takes, out of its options, below.
set -q __keypipe_prefix; and return
set -g __keypipe_prefix '@PREFIX@' # of the programs' names
# __keypipe_line: the words so far, from the program on; nothing where that is still to come
function __keypipe_line
    set -l line (commandline -opc)
    set line[1] (string replace -r '.*/' '' -- $line[1])
    if test $line[1] = keypipe
        set -e line[1]
        test "$line[1]" = help; and set -e line[1]
    else
        set line[1] (string replace -r '^keypipe-' '' -- $line[1])
    end
    string join \n -- $line
end
# __keypipe_is PROGRAM [KIND]: whether the line is that program's, with that kind; __keypipe_is alone: whether the program is to come
function __keypipe_is
    set -l line (__keypipe_line)
    test "$line[1]" = "$argv[1]"; or return
    set -q argv[2]; or return 0
    contains -- $argv[2] $line[2..-1]
end
# whether the kind of a program is to come
function __keypipe_kindless
    set -l line (__keypipe_line)
    test "$line[1]" = $argv[1]; or return
    for word in $line[2..-1]
        contains -- $word $argv[2..-1]; and return 1
    end
    return 0
end
# what both `keypipe PROGRAM` and PROGRAM take: KEY, a condition, and what complete has
function __keypipe_complete
    for command in keypipe $__keypipe_prefix(string split ' ' -- $argv[1])[1]
        complete -c $command -n $argv[2..-1]
    end
end
function __keypipe_option
    __keypipe_complete $argv[1] "__keypipe_is $argv[1]" $argv[2..-1]
end
function __keypipe_kinds
    __keypipe_complete $argv[1] "__keypipe_kindless $argv[1] $argv[2]" -f -a $argv[2]
end
function __keypipe_program
    complete -c keypipe -n __keypipe_is -f -a $argv[1] -d $argv[2]
end
complete -c keypipe -n __keypipe_is -f -a help -d 'tell options and show examples of a program'
@WORDS@
