# Few labels: does it help to start from what an autoencoder learned on all faces, whose labels it does not need? Or to learn, too, what a net of
# heat maps that has seen the few predicts of the others?
## data: make fewlabels | 100, 300 and 1000 labelled faces, with and without the others' images, in out/fewlabels
FEWLABELS ?= out/fewlabels
fewlabels.LABELLED = 100 300 1000
fewlabels.FEWLABELS_SEEDS = 1 2 3
fewlabels.FEWLABELS_TRAIN = -b 16 -r 0.001 --optimizer adam --schedule cosine --augment flip,shift=2
fewlabels.FEWLABELS_STEPS = 3000
# dense layers start from an autoencoder of whole faces, convolutions from one of random 5x5 patches
fewlabels.FEWLABELS_DENSE = -H 300 -b 50 -r 0.02 -c 0.2 -e 30
fewlabels.FEWLABELS_CONV = -H 32 -b 100 -r 0.1 -c 0.2 -e 30
# heat maps: cnn-train's preset with stronger augmentation; taught ones learn also from predictions of all faces, which count by half
fewlabels.FEWLABELS_HEAT = -b 16 --preset default --keep last --valid-part 0 --average 0.999 --augment flip,shift=6,rotate=25,scale=0.2,contrast=0.4,brightness=0.2,cutout=0.3
fewlabels.FEWLABELS_TEACH = 0.5

$(call settings,fewlabels,FEWLABELS,$(of_csv) LABELLED FEWLABELS_SEEDS FEWLABELS_TRAIN FEWLABELS_STEPS FEWLABELS_DENSE FEWLABELS_CONV FEWLABELS_HEAT FEWLABELS_TEACH)
few_kinds := dense-random dense-pretrained conv-random conv-pretrained heat heat-taught
few_net_heat := @pipelines/nets/small.net
few_options_dense = $(FEWLABELS_TRAIN)
few_options_conv = $(FEWLABELS_TRAIN)
few_options_heat = $(FEWLABELS_HEAT)
few_net_dense := fc300 sigmoid fc
few_net_conv := conv5x5x32s2p2 sigmoid pool2 conv3x3x48 relu pool2 conv3x3x64 relu pool2 fc100 relu fc
fewlabels.start.dense-pretrained := $(FEWLABELS)/dae-dense.tns
fewlabels.start.conv-pretrained := $(FEWLABELS)/dae-conv.tns
fewlabels.of := points
fewlabels.set := labelled-
fewlabels.needs := $(FEWLABELS)/train.is
# each after the same number of steps; the taught ones see all faces besides the few
few_taught = $(if $(filter heat-taught,$(2)),$(FEWLABELS)/taught/$(1)-heat-$(3).tns)
few_rows = $(1)$(if $(few_taught), + $$$$($B/bin/tns-info $(FEWLABELS)/train.tns | awk '$$$$1 == "image" {print $$$$3 + 0}'))
few_epochs = $$$$(( ($(FEWLABELS_STEPS) * 16 + $(few_rows) - 1) / ($(few_rows)) ))
few_model = $(firstword $(subst -, ,$(2)))
fewlabels.train = -n '$(few_net_$(few_model))' $(few_options_$(few_model)) -e $(few_epochs) $(few_taught:%=--pseudo % --teach $(FEWLABELS_TEACH))
fewlabels.also = $(few_taught) $(if $(filter heat%,$(2)),pipelines/nets/small.net)
fewlabels.test := --flip $(FEWLABELS)/valid.tns
fewlabels.table := -v first=labelled -v scale=1 -v title='RMSE on held-out faces in pixels: mean +- standard deviation (range) over seeds, by labelled faces and what the first layer starts from'

fewlabels: $(FEWLABELS)/.made
$(FEWLABELS)/.made: $(addprefix $(FEWLABELS)/,table.txt curves.png filters-dense.png filters-conv.png)
	@echo "made in $(@D):"; ls $(@D); cat $<
	$(report)
	@touch $@

$(call from_csv,dae-*.tns runs/*.tns taught/*.tns)
$(call depend_on,train,$(FEWLABELS_TRAIN) $(FEWLABELS_STEPS) $(few_net_dense) $(few_net_conv) $(FEWLABELS_HEAT) $(FEWLABELS_TEACH))
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

# all faces as a net of few labels predicts them, from the image, its mirror image and shifts of both
$(FEWLABELS)/taught/%.tns: $(FEWLABELS)/runs/%.tns $(FEWLABELS)/train.tns
	@mkdir -p $(@D)
	@$B/bin/predict -q --flip --tta 5 $^ -o $@

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
