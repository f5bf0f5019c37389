# Nets for their cost: what each has, needs and reaches on the same faces.
## data: make nets | a table of nets: parameters, operations, images a second, RMSE, in out/nets
TABLE ?= out/nets
nets.NETS = small medium heat best conv
nets.NETS_TRAIN = $(heat_train)
# a net for coordinates has its own way
nets.NETS_TRAIN_conv = -e 40 -b 32 -r 0.0007 --optimizer adam --schedule cosine --augment flip,shift=3,rotate=8,scale=0.08,contrast=0.2,brightness=0.1

$(call settings,nets,TABLE,$(of_csv) NETS NETS_TRAIN NETS_TRAIN_conv)
net_models := $(NETS:%=$(TABLE)/%.tns)
nets: $(TABLE)/.made
$(TABLE)/.made: $(TABLE)/table.txt
	@cat $<
	$(report)
	@touch $@

$(call from_csv,$(NETS:=.tns))
$(call depend_on,train,$(NETS_TRAIN) $(NETS_TRAIN_conv))
$(call depend_on,nets,$(NETS))

$(net_models): $(TABLE)/%.tns: pipelines/nets/%.net $(TABLE)/train.tns $(TABLE)/valid.tns $(TABLE)/train.is
	$(call say,train $<)
	@$B/bin/cnn-train -n @$< $(or $(NETS_TRAIN_$*),$(NETS_TRAIN)) --valid $(TABLE)/valid.tns --log $(@:.tns=.tsv) $(TABLE)/train.tns $(call go_on,$@) -o $@
$(net_models:.tns=.score): %.score: %.tns
	@$B/bin/predict -q --flip $< $(TABLE)/valid.tns | $B/bin/score -o $@
# images a second from bytes to points, one at a time and 64 at a time, on one core: nothing else should run meanwhile
$(net_models:.tns=.speed): %.speed: %.tns $B/bin/bench
	$(call say,time $<)
	@taskset -c 0 $B/bin/bench -t 1 --seconds 2 $<-1 $<-64 >$@.tmp && mv $@.tmp $@
$(TABLE)/table.txt: $(net_models:.tns=.score) $(net_models:.tns=.speed) $(TABLE)/nets.is
	@{ printf '%-8s %11s %7s %16s %17s %9s\n' net parameters MFLOP 'images/s, 1 core' '64 at a time' 'RMSE, px'; \
	for n in $(NETS); do m=$(TABLE)/$$n; $B/bin/tns-info $$m.tns | awk -v net=$$n \
		-v one=$$(awk '/-1 / {print $$2}' $$m.speed) -v many=$$(awk '/-64 / {print $$2}' $$m.speed) -v rmse=$$(awk '{print $$2; exit}' $$m.score) \
		'/^parameters:/ {p = $$2} /^operations:/ {o = $$2} END {printf "%-8s %11d %7.1f %16.0f %17.0f %9.3f\n", net, p, o / 1e6, one, many, rmse}'; \
	done; $(machine); } >$@.tmp && mv $@.tmp $@
