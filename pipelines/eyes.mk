# The study of 2014: an autoencoder learns eyes; does a classifier of eyes gain by starting from it?
## data: make eyes [EPOCHS=14500] | the study of 2014: autoencoders of eyes, classifiers that start from them, in out/eyes
# Faces are split 60/15/25 before patches are cut, so that no face (nor its near duplicates, or what GROUPS holds together) is on two sides.
EYES ?= out/eyes
eyes.EPOCHS = 1000
eyes.SEEDS = 1 2 3 4 5
eyes.FEW = 50 100 500 all
eyes.EYES_DAE = -H 500 -b 1000 -r 0.1 -c 0.2
# as the study had it: initial weights of four times Glorot's range, whose noise most filters keep; EYES_STUDY= leaves it out
eyes.EYES_STUDY = $(EYES_DAE) --init-range 0.3138
# a third autoencoder, of all patches to learn from, eyes or not, in smaller steps
eyes.EYES_DAE_ALL = -H 500 -b 100 -r 0.1 -c 0.2 -e 100
eyes.EYES_CLASSIFY = -n 'fc500 sigmoid fc' --target label -e 100 -b 32 -r 0.01 --optimizer sgd -m 0

$(call settings,eyes,EYES,CSV CLEAN GROUPS EPOCHS SEEDS FEW EYES_DAE EYES_STUDY EYES_DAE_ALL EYES_CLASSIFY)
snapshots := $(shell for n in 10 100 1000 14500; do [ $$n -gt $(EPOCHS) ] || echo $$n; done)
# what a classifier starts from: random weights, the autoencoder of eyes, the same as in 2014, the one of all patches
kinds := random eyes $(if $(EYES_STUDY),study) patches
eyes.start.eyes := $(EYES)/dae.tns
eyes.start.study := $(EYES)/study.tns
eyes.start.patches := $(EYES)/dae-all.tns
eyes.of := classifier
eyes.set := patches-few-
eyes.needs := $(EYES)/patches-valid.tns $(EYES)/classify.is
eyes.train := $(EYES_CLASSIFY) --valid $(EYES)/patches-valid.tns
eyes.test := $(EYES)/patches-test.tns

eyes: $(EYES)/.made
$(EYES)/.made: $(addprefix $(EYES)/,table.txt curves.png pairs.png patches.png filters.png filters-all.png first-filters.png structured.png) $(snapshots:%=$(EYES)/filters-%.png) $(if $(EYES_STUDY),$(snapshots:%=$(EYES)/filters-study-%.png))
	@echo "made in $(@D):"; ls $(@D); cat $<
	$(report)
	@touch $@

$(call depend_on,dae-all,$(EYES_DAE_ALL))
$(call depend_on,dae,$(EYES_DAE) -e $(EPOCHS))
$(call depend_on,study,$(EYES_STUDY) -e $(EPOCHS))
$(call depend_on,classify,$(EYES_CLASSIFY))
$(call depend_on,runs,$(FEW) by $(SEEDS))

$(call eye_patches,dae*.tns runs/*.tns)

# dae.tns and study.tns, with their snapshots, which an interrupted run leaves: what goes on writes later ones only
define eyes_dae
.PRECIOUS: $(snapshots:%=$(EYES)/$(1)-%.tns)
$(EYES)/$(1).tns $(snapshots:%=$(EYES)/$(1)-%.tns) &: $(EYES)/patches-train.tns $(EYES)/$(1).is
	@printf '%-12s %s\n' $(1).tns 'autoencoder$(if $(filter study,$(1)), as in 2014): $(EPOCHS) epochs'
	@$B/bin/dae-pretrain --patches positive $(2) -e $(EPOCHS) --snapshot '$(subst $(empty) ,$(comma),$(strip $(snapshots)))' --log $(EYES)/$(1).tsv $$< $$(call go_on,$(EYES)/$(1).tns) -o $(EYES)/$(1).tns
endef
$(eval $(call eyes_dae,dae,$(EYES_DAE)))
$(if $(EYES_STUDY),$(eval $(call eyes_dae,study,$(EYES_STUDY))))
$(EYES)/dae-all.tns: $(EYES)/patches-train.tns $(EYES)/dae-all.is
	$(call say,autoencoder of all patches)
	@$B/bin/dae-pretrain $(EYES_DAE_ALL) --log $(@D)/dae-all.tsv $< $(call go_on,$@) -o $@
$(EYES)/filters-all.png: $(EYES)/dae-all.tns
	@$B/bin/render tiles --count 200 $< -o $@
$(EYES)/first-filters.png: $(EYES)/patches-train.tns $(EYES)/dae.is
	@$B/bin/dae-pretrain -q --patches positive $(EYES_DAE) -e 1 -r 1e-12 $< -o $@.tns 2>$@.err || { cat $@.err; exit 1; }; $B/bin/render tiles --count 200 $@.tns -o $@; rm -f $@.tns $@.err # of a start: that nothing was learned
$(EYES)/filters.png: $(EYES)/dae.tns
	$(call say,filters)
	@$B/bin/render tiles --count 200 $< -o $@
$(EYES)/filters-study-%.png: $(EYES)/study-%.tns
	@$B/bin/render tiles --count 200 $< -o $@
$(EYES)/filters-%.png: $(EYES)/dae-%.tns
	@$B/bin/render tiles --count 200 $< -o $@
$(EYES)/structured.png: $(EYES)/dae.tns $(if $(EYES_STUDY),$(EYES)/study.tns)
	$(call say,share of filters that are structured)
	@$B/bin/render curves --logx --y structured --ylabel 'share of filters whose energy is mostly in low frequencies' $(^:.tns=.tsv) -o $@
$(EYES)/pairs.png: $(EYES)/dae.tns $(EYES)/patches-test.tns
	$(call say,originals over reconstructions)
	@$B/bin/predict $^ | $B/bin/render pairs --count 40 -o $@
$(EYES)/patches.png: $(EYES)/patches-train.tns
	@$B/bin/render tiles --count 200 $< -o $@

$(call study,$(FEW),$(kinds),$(SEEDS))
$(call study_curves,$(FEW),$(kinds),$(SEEDS))
