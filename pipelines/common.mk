# What the chains share: settings that a folder keeps, values that files depend on, a CSV cleaned and split by person.
# CSV: the training file. CLEAN: more options of csv-clean, e.g. CLEAN='--size 64x48' for images that are no squares, or CLEAN='--blank FILE'.
# Rows of one person must not stand on both sides of a split: GROUPS says which they are, else images that look alike are kept together.
# KEYPOINTS_PARTS: shares to train on and held out, else 0.92,0.08, of fewer than 300 faces 0.8,0.2.
of_csv := CSV CLEAN GROUPS KEYPOINTS_PARTS
# what the nets of heat maps are trained with: cnn-train's preset, with its 40 epochs where -e gives no other number, to the last of them: no epoch is
# chosen on the faces that the score is of
heat_train := --preset default --keep last
# what nets are trained in: what a folder's were, else bf16 where the processor multiplies it by itself: as exact in the end, and faster
own_precision := $(if $(shell grep -owEm1 'avx512_bf16|amx_bf16' /proc/cpuinfo 2>/dev/null),bf16,fp32)
precision = $(or $(firstword $(filter bf16 fp32,$(call text,$(out)/train.is))),$(own_precision))
empty :=
space := $(empty) $(empty)
comma := ,
hash := \#
define newline


endef

# quoted for the shell; quoted for make; a path as a prerequisite; nothing where two strings are equal
quote = '$(subst ','\'',$(1))'
literal = $(subst $(hash),\$(hash),$(subst $$,$$$$,$(1)))
path = $(subst $(space),\ ,$(subst :,\:,$(subst ;,\;,$(subst *,\*,$(subst ?,\?,$(subst [,\[,$(1)))))))
differ = $(subst |$(1)|,,|$(2)|)$(subst |$(2)|,,|$(1)|)
# a file's text without its last newline, which make 4.3 leaves there where its buffer moves
text = $(subst <end>,,$(subst $(newline)<end>,,$(file <$(1))<end>))
# a net's file, by its path or by its name in pipelines/nets
files = $(filter-out $(patsubst %/.,%,$(wildcard $(1:%=%/.))),$(wildcard $(1)))
net = $(if $(1),$(firstword $(call files,$(1) pipelines/nets/$(1) pipelines/nets/$(1).net) $(1)))
# make -n: files may be missing that a real run would have made
dry := $(findstring n,$(firstword $(filter-out --%,-$(MAKEFLAGS))))
paths := CSV GROUPS TEST LOOKUP
nets := NET DISTIL_NET LEVEL1 LEVEL2 SINGLE ORIGIN_NET FINDER_NET
numbers := EPOCHS KEYPOINTS_EPOCHS MODELS FOLDS FEWLABELS_STEPS FINDER_PHOTOS FINDER_BACKGROUNDS FINDER_SCENES
lists := SEEDS FEW LABELLED FEWLABELS_SEEDS UNITS

# A run keeps what it was given in settings.mk of its folder, and later runs read that. Where the folder's files are asked for, a variable that is
# given again with another value than its streams were made with is refused, but with AGAIN=1; TEST and LOOKUP can be added.
# $(call settings,PIPELINE,FOLDER,VARIABLES): the variable FOLDER names the folder, out. In the lines that follow, and in recipes of $(out)/...,
# each of VARIABLES has the value that is kept, or given, or that of PIPELINE.VARIABLE, its default.
settings = $(eval pipeline := $(1))$(eval folder := $(2))$(eval variables := $(3))$(eval $(value settings_of_pipeline))
folders :=
every_variable :=
taken :=
pipelines :=
define settings_of_pipeline
override $(folder) := $(patsubst ./%,%,$(patsubst %/,%,$($(folder))))
out := $($(folder))
$(if $(word 2,$(out)),$(error $(folder)=$(out): the folder's name must not have blanks))
$(if $(filter $(out),$(folders)),$(error $(folder)=$(out) is another pipeline's folder))
folders += $(out)
asked := $(filter $(pipeline) $(out)/%,$(patsubst ./%,%,$(MAKECMDGOALS)))
old := $(call text,$(out)/settings.mk)
$(if $(asked),$(check_names))
made := $(and $(old),$(wildcard $(out)/*.tns))
lines :=
quoted :=
refused :=
$(foreach v,$(variables),$(eval undefine kept.$v))
$(if $(old),$(eval $(subst $(newline),$(newline)kept.,$(newline)$(old))))
$(foreach v,$(variables),$(eval $(value setting)))
every_variable += $(variables)
taken += $(if $(asked),$(pipeline) $(variables))
pipelines += $(pipeline)
$(if $(refused),$(error $(out) was made with $(refused): AGAIN=1 takes that and makes again what depends on it; $(folder)=... is another run))
$(if $(asked),$(if $(or $(CSV),$($(pipeline).without_csv)),,$(error usage: make $(pipeline) CSV=training.csv[.gz|.zip])))
$(if $(asked),$(foreach v,$(filter $(numbers),$(variables)),$(check_number))$(foreach v,$(filter $(lists),$(variables)),$(check_list)))
$(if $(dry),,$(if $(asked),$(foreach v,$(filter $(paths),$(variables)),$(check_path))$(foreach v,$(filter $(nets),$(variables)),$(check_net))))
$(if $(and $(asked),$(filter LOOKUP,$(variables)),$(LOOKUP)),$(if $(TEST),,$(error LOOKUP=$(LOOKUP): without TEST there is nothing that answers it)))
$(out)/%: private override out := $(out)
$(out)/settings.mk: private override quoted := $(quoted)
$(out)/settings.mk: $(if $(call differ,$(old),$(lines)),FORCE)
	@mkdir -p $(@D); printf '%s\n' $(quoted) >$@.tmp; mv $@.tmp $@
endef
# the variable $v; what is given is looked at once, before the value of a pipeline takes its name
define setting
ifeq ($(origin given.$v),undefined)
given.$v := $(filter command environment,$(firstword $(origin $v)))
wanted.$v := $(if $(filter $(paths),$v),$($v),$(if $(filter $(nets),$v),$(call net,$(strip $($v))),$(strip $($v))))
endif
is_kept := $(filter-out undefined,$(origin kept.$v))
override $v := $(if $(is_kept),$(kept.$v),$(strip $($(pipeline).$v)))
take :=
ifneq ($(and $(asked),$(given.$v)),)
ifeq ($(made),)
take := 1
else ifneq ($(call differ,$($v),$(wanted.$v)),)
same_file := $(and $(filter $(paths),$v),$(shell [ $(call quote,$($v)) -ef $(call quote,$(wanted.$v)) ] && echo 1))
take := $(or $(same_file),$(filter-out 0,$(AGAIN)),$(if $($v),,$(filter TEST LOOKUP,$v)))
refused := $(refused)$(if $(take),,$(if $(refused), and )$v='$($v)', not '$(wanted.$v)')
take := $(if $(same_file),,$(take))
endif
endif
ifneq ($(take),)
override $v := $(wanted.$v)
is_kept := 1
endif
ifneq ($(is_kept),)
line := $v := $(call literal,$($v))
lines := $(if $(lines),$(lines)$(newline))$(line)
quoted += $(call quote,$(line))
endif
$(out)/%: private override $v := $($v)
endef
# of what the command line sets, what no makefile reads: with GROUP for GROUPS persons would stand on both sides, and nobody be told
command_line = $(foreach v,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $v))),$v))
check_names = $(foreach v,$(command_line),$(if $(filter $v,$(variables)),,$(if $(shell grep -qE '^[^\#]*[$$].?$v\>|^(ifn?def )?$v\>' Makefile pipelines/*.mk || echo 1),$(error $v: there is no such variable; make $(pipeline) takes $(folder) $(variables)))))
# and what another pipeline reads: after all of them
check_others = $(if $(taken),$(foreach v,$(sort $(filter-out $(taken),$(every_variable))),$(if $(filter command,$(given.$v)),$(error $v: make $(firstword $(taken)) does not take it, but $(sort $(filter-out $(pipelines),$(taken)))))))
check_number = $(if $($v),$(if $(shell [[ $(call quote,$($v)) =~ ^[1-9][0-9]*$$ ]] && echo 1),,$(error $v=$($v): this is no whole number from 1 on)))
check_list = $(foreach w,$($v),$(if $(shell [[ $(call quote,$w) =~ ^([0-9]+$(if $(filter FEW,$v),|all))$$ ]] && echo 1),,$(error $v=$($v): '$w' is no whole number)))
check_path = $(if $($v),$(if $(shell f=$(call quote,$($v)); [ -r "$$f" ] && [ ! -d "$$f" ] && echo 1),,$(error $v=$($v): there is no such file$(if $(filter /%,$($v)),, in $(CURDIR)))))
check_net = $(if $(call files,$($v)),,$(error $v=$($v): there is no such net; pipelines/nets has $(sort $(patsubst pipelines/nets/%.net,%,$(wildcard pipelines/nets/*.net)))))

# $(call depend_on,NAME,VALUE): $(out)/NAME.is holds VALUE, and is newer than what was made with another one
depend_on = $(eval name := $(1))$(eval content := $(call literal,$(2)))$(eval $(value depend_on_value))
define depend_on_value
$(out)/$(name).is: private override content := $(content)
$(out)/$(name).is: $(if $(call differ,$(call text,$(out)/$(name).is),$(content)),FORCE) | $(out)/settings.mk
	@mkdir -p $(@D); printf '%s\n' $(call quote,$(content)) >$@
endef
.PHONY: FORCE

# the last line of a table: on what it was measured
machine = echo "on $$(pipelines/machine.sh)"
# $(call go_on,MODEL): a training's option, by which one that was interrupted goes on (MODEL.last), but starts over where what it is made of is newer
go_on = $$(for f in $^; do [ ! "$$f" -nt $(1).last ] || rm -f $(1).last; done; echo --resume)
say = @printf '%-12s %s\n' '$(notdir $@)' $(call quote,$(1))

# about $* faces of $<, drawn at random
define some_faces
@part=$$($B/bin/tns-info $< | awk -v n=$* '$$1 == "image" {p = n / $$3; printf "%.6f", (p < 0.001 ? 0.001 : p < 0.999 || p > 1 ? p : 0.999)}'); \
awk -v p=$$part 'BEGIN {exit (p > 1)}' || { echo "$@: there are fewer faces than $*: $<; FEW=... AGAIN=1 (of fewlabels LABELLED=...) says how many" >&2; exit 1; }; \
$B/bin/tns-split --parts $$part,$$(awk -v p=$$part 'BEGIN {printf "%.6f", 1 - p}') $< -o $@ -o /dev/null
endef

# $(clean_csv): $(out)/clean.tns of CSV. $(clean_test): $(out)/test.tns of TEST
clean_csv = $(eval $(value clean_csv_rules))
define clean_csv_rules
$(call depend_on,csv,$(CSV) $(CLEAN))
$(out)/clean.tns: $(call path,$(CSV)) $(out)/csv.is | $(out)/settings.mk $B/built
	$(call say,clean the training file)
	@$B/bin/csv-clean $(CLEAN) $(call quote,$(CSV)) --report $(@D)/clean.tsv -o $@
endef
clean_test = $(eval $(value clean_test_rules))
define clean_test_rules
$(call depend_on,test,$(TEST) $(CLEAN))
$(out)/test.tns: $(call path,$(TEST)) $(out)/test.is | $B/built
	$(call say,read the test file)
	@$B/bin/csv-clean --keep-all $(CLEAN) $(call quote,$(TEST)) -o $@
endef

# $(call from_csv,MODELS): $(out)/clean.tns, train.tns and valid.tns. MODELS, patterns of names, go when faces are split anew: they may know
# those that are held out
from_csv = $(eval trained := $(1))$(eval $(value from_csv_rules))
define from_csv_rules
$(clean_csv)
$(call depend_on,split,$(KEYPOINTS_PARTS) $(GROUPS))
$(out)/train.tns: private override trained := $(trained:%=$(out)/%)
$(out)/train.tns $(out)/valid.tns &: $(out)/clean.tns $(out)/split.is $(call path,$(GROUPS))
	$(call say,split by $(if $(GROUPS),person,likeness of images))
	@pipelines/split.sh $B/bin "$(KEYPOINTS_PARTS)" $(call quote,$(GROUPS)) $< $(@D)/train.tns $(@D)/valid.tns
	@rm -f $(trained)
endef

# $(call eye_patches,MODELS): $(out)/faces-PART.tns and patches-PART.tns of train, valid and test, faces split 60/15/25 before patches are cut, so
# that no face (nor its near duplicates, or what GROUPS holds together) is on two sides; patches-few-N.tns of about N faces of train.
# MODELS, patterns of names, go when faces are split anew
corners := left_eye_inner_corner,left_eye_outer_corner,right_eye_inner_corner,right_eye_outer_corner
eye_patches = $(eval trained := $(1))$(eval $(value eye_patches_rules))
define eye_patches_rules
$(call depend_on,csv,$(CSV) $(CLEAN) $(GROUPS))
$(out)/faces.tns: $(call path,$(CSV)) $(out)/csv.is | $(out)/settings.mk $B/built
	$(call say,clean: faces whose eyes are labelled)
	@$B/bin/csv-clean --require $(corners) $(CLEAN) $(call quote,$(CSV)) -o $@
$(out)/faces-train.tns: private override trained := $(trained:%=$(out)/%)
$(out)/faces-train.tns $(out)/faces-valid.tns $(out)/faces-test.tns &: $(out)/faces.tns $(call path,$(GROUPS))
	@$B/bin/tns-split --parts 0.6,0.15,0.25 $(if $(GROUPS),--groups $(call quote,$(GROUPS)),--by near) $< $(foreach p,train valid test,-o $(@D)/faces-$p.tns)
	@rm -f $(trained)
$(out)/patches-%.tns: $(out)/faces-%.tns
	$(call say,cut 25x19 patches)
	@$B/bin/patch-extract --preset eyes $< -o $@
$(out)/faces-few-%.tns: $(out)/faces-train.tns
	$(some_faces)
$(out)/patches-few-all.tns: $(out)/patches-train.tns
	@ln -f $< $@
endef

# $(call study,FACES,KINDS,SEEDS): nets compared over seeds. $(out)/runs/FACES-KIND-SEED.tns is what cnn-train makes of $(out)/SETFACES.tns; of
# their scores table.txt is made. What differs are variables of the pipeline, such as eyes.set:
#   of          what the nets predict, for messages
#   set, needs  the training set's name before FACES; what else the runs depend on
#   train       cnn-train's options, called with FACES, KIND and SEED
#   also        further files that they need, called likewise
#   start.KIND  the model that these nets start from, or empty
#   test        options of predict, and the file that the scores are of
#   table       options of table.awk
study = $(foreach f,$(1),$(foreach k,$(2),$(foreach s,$(3),$(eval $(call study_run,$f,$k,$s)))))$(eval $(call study_table,$(1),$(2),$(3)))
study_runs = $(foreach f,$(1),$(foreach k,$(2),$(3:%=$(out)/runs/$f-$k-%)))
its = $(call $(pipeline).$(1),$(2),$(3),$(4))
define study_run
$(out)/runs/$(1)-$(2)-$(3).tns: $(out)/$(call its,set)$(1).tns $(call its,needs) $(call its,start.$(2)) $(call its,also,$(1),$(2),$(3))
	@mkdir -p $$(@D)
	@$B/bin/cnn-train -q $(call its,train,$(1),$(2),$(3)) -s $(3) $(addprefix --init ,$(call its,start.$(2))) --log $$(@:.tns=.tsv) $$< $$(call go_on,$$@) -o $$@
	@printf '%-12s %s\n' runs '$(call its,of), $(1) faces, from $(2), seed $(3)'
endef
define study_table
$(out)/runs/%.score: $(out)/runs/%.tns $(filter-out -%,$(call its,test))
	@$B/bin/predict -q $(filter -%,$(call its,test)) $$^ | $B/bin/score -o $$@
$(out)/table.txt: $(patsubst %,%.score,$(call study_runs,$(1),$(2),$(3))) pipelines/table.awk $(out)/runs.is
	$$(call say,errors with spread)
	@for f in $(1); do for k in $(2); do for s in $(3); do echo $$$$f $$$$k $$$$(head -1 $$(@D)/runs/$$$$f-$$$$k-$$$$s.score); done; done; done | \
	awk $(call its,table) -f pipelines/table.awk >$$@.tmp && $$(machine) >>$$@.tmp && mv $$@.tmp $$@
endef
# of curves, one a kind and seed
legend = $(subst $(space),$(comma),$(foreach k,$(1),$(2:%=$k)))
# $(call study_curves,FACES,KINDS,SEEDS): $(out)/curves.png of the runs of the last of FACES on the validation set
study_curves = $(eval $(call study_curves_rule,$(1),$(2),$(3)))
define study_curves_rule
$(out)/curves.png: $(patsubst %,%.tns,$(call study_runs,$(1),$(2),$(3))) $(out)/runs.is
	$$(call say,validation curves of all ways)
	@$B/bin/render curves --mean --y valid_error --ylabel 'error rate on held-out patches' --legend $(call legend,$(2),$(3)) \
		$(patsubst %,%.tsv,$(call study_runs,$(lastword $(1)),$(2),$(3))) -o $$@
endef
