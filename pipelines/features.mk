# Three ways to find features of eyes without labels, side by side: principal components, a restricted Boltzmann machine, an autoencoder.
## data: make features | components, a Boltzmann machine and an autoencoder of the same eyes: reconstructions, filters, classifiers, in out/features
FEATURES ?= out/features
features.SEEDS = 1 2 3 4 5
features.FEW = 50 100 500 all
# of reconstructions; components: at most the pixels of a patch, 475, and fewer than there are eyes to train on
features.UNITS = 10 50 200 500
features.FEATURES_RBM = --persistent -b 100 -r 0.05 -e 200
features.FEATURES_DAE = -b 100 -r 0.1 -c 0.2 -e 200
# classifiers, from 200 units of each kind
features.FEATURES_CLASSIFY = --target label -e 100 -b 32 -r 0.01 --optimizer sgd -m 0

$(call settings,features,FEATURES,CSV CLEAN GROUPS SEEDS FEW UNITS FEATURES_RBM FEATURES_DAE FEATURES_CLASSIFY)
feature_units := 200
feature_net := fc$(feature_units) sigmoid fc
feature_kinds := random pca zca rbm dae
# what a classifier starts from; with zca whitening is its first layer
features.start.pca := $(FEATURES)/white.tns
features.start.zca := $(FEATURES)/zca.tns
features.start.rbm := $(FEATURES)/rbm-$(feature_units)-1.tns
features.start.dae := $(FEATURES)/dae-$(feature_units)-1.tns
features.of := classifier
features.set := patches-few-
features.needs := $(FEATURES)/patches-valid.tns $(FEATURES)/classify.is
features.classify := $(FEATURES_CLASSIFY)
features.train = -n '$(if $(filter zca,$(2)),fc475 )$(feature_net)' $(features.classify) --valid $(FEATURES)/patches-valid.tns
features.test := $(FEATURES)/patches-test.tns

features: $(FEATURES)/.made
$(FEATURES)/.made: $(addprefix $(FEATURES)/,table.txt reconstruction.txt filters.png curves.png)
	@echo "made in $(@D):"; ls $(@D); cat $(@D)/reconstruction.txt; echo; cat $<
	$(report)
	@touch $@

$(call eye_patches,pca-* white.tns zca.tns rbm-* dae-* runs/*.tns)
$(call depend_on,rbm,$(FEATURES_RBM))
$(call depend_on,dae,$(FEATURES_DAE))
$(call depend_on,classify,$(FEATURES_CLASSIFY))
$(call depend_on,runs,$(FEW) by $(SEEDS) and $(UNITS))

# each model's seconds stand in NAME.seconds; components don't depend on a seed
timed = @rm -f $@.last; start=$$(date +%s.%N); $(1) && date +%s.%N | awk -v start=$$start '{printf "%.2f\n", $$1 - start}' >$(@:.tns=.seconds)
# how many eyes there are to train on, before anything is
$(FEATURES)/eyes.n: $(FEATURES)/patches-train.tns
	@n=$$($B/bin/tns-select -q --where 'label == 1' $< | $B/bin/tns-info | awk '$$1 == "label" {print $$3 + 0}'); \
	[ $$n -gt $(feature_units) ] || { echo "$<: $$n eyes (mirrored ones counted), where $(feature_units) components need more: CSV has too few faces" >&2; exit 1; }; \
	echo $$n >$@
define features_models
$(FEATURES)/pca-$(1)-$(2).tns: $(FEATURES)/patches-train.tns | $(FEATURES)/eyes.n
	$$(call timed,$B/bin/pca-fit -q --patches positive -k $$$$(awk '{n = $$$$1 < 476 ? $$$$1 - 1 : 475; print ($(1) < n ? $(1) : n)}' $(FEATURES)/eyes.n) $$< -o $$@)
$(FEATURES)/rbm-$(1)-$(2).tns: $(FEATURES)/patches-train.tns $(FEATURES)/patches-valid.tns $(FEATURES)/rbm.is | $(FEATURES)/eyes.n
	@printf '%-12s %s\n' features 'Boltzmann machine of $(1) units, seed $(2)'
	$$(call timed,$B/bin/rbm-pretrain -q --patches positive -H $(1) $(FEATURES_RBM) -s $(2) --valid $(FEATURES)/patches-valid.tns --log $$(@:.tns=.tsv) $$< -o $$@)
$(FEATURES)/dae-$(1)-$(2).tns: $(FEATURES)/patches-train.tns $(FEATURES)/patches-valid.tns $(FEATURES)/dae.is | $(FEATURES)/eyes.n
	@printf '%-12s %s\n' features 'autoencoder of $(1) units, seed $(2)'
	$$(call timed,$B/bin/dae-pretrain -q --patches positive -H $(1) $(FEATURES_DAE) -s $(2) --valid $(FEATURES)/patches-valid.tns --log $$(@:.tns=.tsv) $$< -o $$@)
endef
feature_models := $(foreach k,pca rbm dae,$(foreach u,$(sort $(UNITS) $(feature_units)),$(foreach s,$(if $(filter pca,$k),1,$(SEEDS)),$(FEATURES)/$k-$u-$s)))
$(foreach u,$(sort $(UNITS) $(feature_units)),$(foreach s,$(sort 1 $(SEEDS)),$(eval $(call features_models,$u,$s))))
$(FEATURES)/white.tns: $(FEATURES)/patches-train.tns | $(FEATURES)/eyes.n
	@$B/bin/pca-fit -q --patches positive -k $(feature_units) --whiten pca $< -o $@
$(FEATURES)/zca.tns: $(FEATURES)/patches-train.tns
	@$B/bin/pca-fit -q --energy 0.999 --whiten zca $< -o $@
$(FEATURES)/eyes-test.tns: $(FEATURES)/patches-test.tns
	@$B/bin/tns-select -q --where 'label == 1' $< -o $@
$(FEATURES)/%.error: $(FEATURES)/%.tns $(FEATURES)/eyes-test.tns
	@$B/bin/predict -q $^ | $B/bin/score -o $@
of_units = $(foreach u,$(UNITS),$(foreach k,pca rbm dae,$(foreach s,$(if $(filter pca,$k),1,$(SEEDS)),echo $u $k $$(head -1 $(FEATURES)/$k-$u-$s.$(1));)))
$(FEATURES)/reconstruction.txt: $(feature_models:%=%.error) pipelines/table.awk $(FEATURES)/runs.is
	$(call say,reconstruction errors)
	@{ { $(call of_units,error) } | awk -v first=units -v scale=1 \
		-v title='error of reconstructed eyes of the test faces, root mean square in grey levels (0 to 255): mean +- standard deviation (range) over seeds' -f pipelines/table.awk; \
	echo; { $(foreach u,$(UNITS),$(foreach k,pca rbm dae,$(foreach s,$(if $(filter pca,$k),1,$(SEEDS)),echo $u $k s $$(cat $(FEATURES)/$k-$u-$s.seconds);))) } | \
		awk -v first=units -v scale=1 -v title='seconds of training' -f pipelines/table.awk; $(machine); } >$@.tmp && mv $@.tmp $@
$(FEATURES)/filters.png: $(foreach k,pca rbm dae,$(features.start.$k))
	$(call say,filters side by side)
	@$B/bin/render tiles --count 84 $^ -o $@

$(call study,$(FEW),$(feature_kinds),$(SEEDS))
$(call study_curves,$(FEW),$(feature_kinds),$(SEEDS))
