# Few labels: does it help to start from what an autoencoder learned on all faces, whose labels it does not need?
## data: make fewlabels | 100, 300 and 1000 labelled faces, with and without pretraining, in out/fewlabels
FEWLABELS ?= out/fewlabels
fewlabels.LABELLED = 100 300 1000
fewlabels.FEWLABELS_SEEDS = 1 2 3
fewlabels.FEWLABELS_TRAIN = -b 16 -r 0.001 --optimizer adam --schedule cosine --augment flip,shift=2
fewlabels.FEWLABELS_STEPS = 3000
# dense layers start from an autoencoder of whole faces, convolutions from one of random 5x5 patches
fewlabels.FEWLABELS_DENSE = -H 300 -b 50 -r 0.02 -c 0.2 -e 30
fewlabels.FEWLABELS_CONV = -H 32 -b 100 -r 0.1 -c 0.2 -e 30

$(call settings,fewlabels,FEWLABELS,$(of_csv) LABELLED FEWLABELS_SEEDS FEWLABELS_TRAIN FEWLABELS_STEPS FEWLABELS_DENSE FEWLABELS_CONV)
few_kinds := dense-random dense-pretrained conv-random conv-pretrained
few_net_dense := fc300 sigmoid fc
few_net_conv := conv5x5x32s2p2 sigmoid pool2 conv3x3x48 relu pool2 conv3x3x64 relu pool2 fc100 relu fc
fewlabels.start.dense-pretrained := $(FEWLABELS)/dae-dense.tns
fewlabels.start.conv-pretrained := $(FEWLABELS)/dae-conv.tns
fewlabels.of := points
fewlabels.set := labelled-
fewlabels.needs := $(FEWLABELS)/train.is
# each after the same number of steps
fewlabels.train = -n '$(few_net_$(firstword $(subst -, ,$(2))))' $(FEWLABELS_TRAIN) -e $$$$(( $(FEWLABELS_STEPS) * 16 / $(1) ))
fewlabels.test := --flip $(FEWLABELS)/valid.tns
fewlabels.table := -v first=labelled -v scale=1 -v title='RMSE on held-out faces in pixels: mean +- standard deviation (range) over seeds, by labelled faces and what the first layer starts from'

fewlabels: $(FEWLABELS)/.made
$(FEWLABELS)/.made: $(addprefix $(FEWLABELS)/,table.txt curves.png filters-dense.png filters-conv.png)
	@echo "made in $(@D):"; ls $(@D); cat $<
	$(report)
	@touch $@

$(call from_csv,dae-*.tns runs/*.tns)
$(call depend_on,train,$(FEWLABELS_TRAIN) $(FEWLABELS_STEPS) $(few_net_dense) $(few_net_conv))
$(call depend_on,dae-dense,$(FEWLABELS_DENSE))
$(call depend_on,dae-conv,$(FEWLABELS_CONV))
$(call depend_on,runs,$(LABELLED) by $(FEWLABELS_SEEDS))

$(FEWLABELS)/labelled-%.tns: $(FEWLABELS)/train.tns
	$(some_faces)

$(FEWLABELS)/dae-dense.tns: $(FEWLABELS)/train.tns $(FEWLABELS)/dae-dense.is
	$(call say,autoencoder of whole faces)
	@$B/bin/dae-pretrain $(FEWLABELS_DENSE) --log $(@:.tns=.tsv) $< $(call go_on,$@) -o $@
$(FEWLABELS)/patches.tns: $(FEWLABELS)/train.tns
	@$B/bin/patch-extract --random 20 --size 5x5 $< -o $@
$(FEWLABELS)/dae-conv.tns: $(FEWLABELS)/patches.tns $(FEWLABELS)/dae-conv.is
	$(call say,autoencoder of random patches)
	@$B/bin/dae-pretrain $(FEWLABELS_CONV) --log $(@:.tns=.tsv) $< $(call go_on,$@) -o $@
$(FEWLABELS)/filters-%.png: $(FEWLABELS)/dae-%.tns
	@$B/bin/render tiles --count 60 $< -o $@

$(call study,$(LABELLED),$(few_kinds),$(FEWLABELS_SEEDS))
few_runs := $(call study_runs,$(LABELLED),$(few_kinds),$(FEWLABELS_SEEDS))
# a curve a kind and seed: over the number of labelled faces
$(FEWLABELS)/curves.png: $(few_runs:%=%.score) $(FEWLABELS)/runs.is
	$(call say,curves with and without)
	@for k in $(few_kinds); do for s in $(FEWLABELS_SEEDS); do { printf 'labelled\trmse_px\n'; for f in $(LABELLED); do \
	printf '%s\t%s\n' $$f $$(awk '{print $$2; exit}' $(FEWLABELS)/runs/$$f-$$k-$$s.score); done; } >$(FEWLABELS)/runs/$$k-$$s.tsv; done; done
	@$B/bin/render curves --mean --logx --y rmse_px --xlabel 'labelled faces' --ylabel 'RMSE on held-out faces (pixels)' \
		--legend $(call legend,$(few_kinds),$(FEWLABELS_SEEDS)) \
		$(foreach k,$(few_kinds),$(FEWLABELS_SEEDS:%=$(FEWLABELS)/runs/$k-%.tsv)) -o $@
