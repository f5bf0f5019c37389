# CSV to submission and pictures:
## data: make keypoints [TEST=test.csv LOOKUP=IdLookupTable.csv] | points: from CSV to model, scores, pictures and submission, in out/keypoints
## data: make ensemble [MODELS=3] | the same, several models averaged, in out/ensemble
## data: make best | the same, five models averaged: an hour or two, in out/best
## data: make distil | small.net, for one core, taught by the models of make best: out/best/small.tns
# Every file in $(KEYPOINTS) can be looked into (tns-info), drawn (render) and made again alone (make out/keypoints/FILE).
KEYPOINTS ?= out/keypoints
ENSEMBLE ?= out/ensemble
BEST ?= out/best
# estimates of a face that are averaged: it and its mirror image, as they are and shifted by two pixels in four directions; of faces that lie unusually
# those of the aligned face, too, or alone; without noise where there is some
tta := --flip --tta 5 --align --denoise
# PRECISION: bf16 or fp32. NET: a file, or a name in pipelines/nets. MODELS: so many that differ by their seed, averaged. KEYPOINTS_TRAIN: all options of cnn-train.
keypoints.NET = pipelines/nets/best.net
keypoints.EPOCHS = 60
keypoints.KEYPOINTS_EPOCHS = $(EPOCHS)
keypoints.PRECISION = $(precision)
keypoints.KEYPOINTS_TRAIN = -e $(KEYPOINTS_EPOCHS) $(heat_train) --precision $(PRECISION)
keypoints.MODELS = 1
# REFIT=1: the faces of TEST are predicted by models that were trained once more on all faces, the held-out ones among them, with the same options, to
# their last epoch (--keep last; where an epoch is chosen on the held-out ones, the scored models predict TEST): twice the time. The score is that of
# models that have not seen the held-out ones.
keypoints.REFIT = 1
# UNLABELLED=1: these learn from TEST's images, too, of which they get what the scored models say (cnn-train --pseudo): for the faces at hand, where the
# rules of a competition allow it.
keypoints.UNLABELLED = 0
# make distil: the net, and all options of cnn-train but the teacher
keypoints.DISTIL_NET = pipelines/nets/small.net
keypoints.DISTIL_TRAIN = -e 120 $(heat_train) --precision $(PRECISION)
$(foreach p,ensemble best,$(foreach v,NET EPOCHS KEYPOINTS_EPOCHS PRECISION KEYPOINTS_TRAIN REFIT UNLABELLED DISTIL_NET DISTIL_TRAIN,$(eval $p.$v = $(value keypoints.$v))))
ensemble.MODELS = 3
best.MODELS = 5

models = $(patsubst %,$(out)/model-%.tns,$(seeds))
alone = $(seeds:%=$(out)/valid-predicted-%.tns)
# those that predict TEST
final = $(if $(and $(filter-out 0,$(REFIT)),$(findstring --keep last,$(KEYPOINTS_TRAIN))),$(models:$(out)/model-%=$(out)/final-%),$(models))
unlabelled = $(if $(filter-out 0,$(UNLABELLED)),$(if $(TEST),,$(error UNLABELLED=$(UNLABELLED) needs TEST))$(if $(filter $(models),$(final)),$(error UNLABELLED=$(UNLABELLED) needs REFIT=1 and --keep last))$(out)/test-first.tns)
# the rules of a folder, thrice
define points
seeds := $(if $(filter 1,$(MODELS)),1,$(shell seq $(MODELS)))
$(out)/%: private override seeds := $(seeds)
$(out)/.made: $(addprefix $(out)/,score.txt valid.png worst.png curves.png $(if $(findstring heatmap,$(KEYPOINTS_TRAIN))$(findstring --preset,$(KEYPOINTS_TRAIN)),maps.png,filters.png)) \
	$(if $(filter-out 1,$(MODELS)),$(out)/scores.txt $(out)/common.txt) $(if $(TEST),$(out)/test.png $(if $(LOOKUP),$(out)/submission.csv))
	@echo "made in $(@D):"; ls $(@D); head -1 $(@D)/score.txt; cat $(filter %/scores.txt,$^) </dev/null
	@n=$$($B/bin/tns-info $(@D)/valid.tns | awk '$$1 == "image" {print $$3 + 0}'); \
	[ $$n -ge 24 ] || echo "(a rough score, of $$n held-out faces: pipelines/README.md, \"Small sets\")"
	$(report)
	@touch $@

$(call from_csv,model-*.tns final-*.tns small.tns taught.tns)
$(call depend_on,train,$(NET) $(KEYPOINTS_TRAIN))
$(call depend_on,distil,$(DISTIL_NET) $(DISTIL_TRAIN))

# model-SEED.tns; a run that was killed goes on, unless data or options are newer than what it kept
$(out)/model-%.tns: $(out)/train.tns $(out)/valid.tns $(out)/train.is $(NET)
	$(call say,train $(NET)$(if $(filter bf16,$(KEYPOINTS_TRAIN)), in bf16)$(if $(filter-out 1,$(MODELS)), ($* of $(MODELS))))
	@for f in $^; do [ ! $$f -nt $(@D)/.model-$*.checkpoint ] || rm -f $(@D)/.model-$*.checkpoint; done
	@$B/bin/cnn-train -n @$(NET) $(KEYPOINTS_TRAIN) -s $* --valid $(@D)/valid.tns --suspects $(@:.tns=-suspects.tsv) \
		--log $(@:.tns=.tsv) --checkpoint $(@D)/.model-$*.checkpoint --resume $< -o $@
	@rm -f $(@D)/.model-$*.checkpoint
$(out)/test-first.tns: $(out)/models.is $(models) $(out)/test.tns
	$(call say,predict the test faces to learn from them)
	@$B/bin/predict $(tta) $(filter %.tns,$^) -o $@
.SECONDARY: $(out)/all.tns
$(out)/all.tns: $(out)/train.tns $(out)/valid.tns
	@$B/bin/tns-cat -q $^ -o $@
$(out)/final-%.tns: $(out)/train.tns $(out)/valid.tns $(out)/train.is $(NET) $(unlabelled) | $(out)/all.tns
	$(call say,train $(NET) on all faces$(if $(filter-out 1,$(MODELS)), ($* of $(MODELS))))
	@$B/bin/cnn-train -n @$(NET) $(KEYPOINTS_TRAIN) -s $* --valid-part 0 $(unlabelled:%=--pseudo %) --log $(@:.tns=.tsv) $(call go_on,$@) $(@D)/all.tns -o $@
$(call depend_on,models,$(MODELS))
$(call depend_on,final,$(MODELS) $(REFIT)$(filter-out 0,$(UNLABELLED)))
$(out)/valid-predicted.tns: $(out)/models.is $(models)
	$(call say,predict the held-out faces)
	@$B/bin/predict $(tta) $(filter %.tns,$^) $(@D)/valid.tns -o $@
# of an ensemble also what each model reaches alone, and what all of them err in common, by point
$(out)/valid-predicted-%.tns: $(out)/model-%.tns $(out)/valid.tns
	@$B/bin/predict -q $(tta) $^ -o $@
$(out)/scores.txt: $(out)/score.txt $(alone)
	@{ for k in $(seeds); do echo "model-$$k $$($B/bin/score -q $(@D)/valid-predicted-$$k.tns | head -1)"; done; echo "averaged $$(head -1 $<)"; } >$@.tmp && mv $@.tmp $@
$(out)/common.txt: $(out)/models.is $(alone)
	@$B/bin/score -q $(if $(GROUPS),--groups $(call quote,$(GROUPS))) $(filter %.tns,$^) -o $@
$(out)/score.txt: $(out)/valid-predicted.tns
	@$B/bin/score $< -o $@
$(out)/valid.png: $(out)/valid-predicted.tns
	$(call say,truth and prediction on held-out faces)
	@$B/bin/render faces --count 24 $< -o $@
$(out)/worst.png: $(out)/valid-predicted.tns
	$(call say,the held-out faces with the largest errors)
	@$B/bin/render faces --worst --count 24 $< -o $@
$(out)/curves.png: $(out)/models.is $(models)
	@$B/bin/render curves --y valid_rmse_px --ylabel 'RMSE on held-out faces (pixels)' $(patsubst %.tns,%.tsv,$(filter %.tns,$^)) -o $@
$(out)/filters.png: $(out)/model-1.tns
	@$B/bin/render tiles $< -o $@
$(out)/maps.png: $(out)/valid-predicted.tns $(models)
	$(call say,heat maps over held-out faces)
	@$B/bin/predict -q --flip --maps $(models) $(@D)/valid.tns | $B/bin/render maps --count 12 -o $@

# a small net, for one core, learns from what the models say of the faces that they know, too: make out/best/small.txt
$(out)/taught.tns: $(out)/models.is $(models) $(out)/train.tns
	$(call say,what the models say of the faces trained on)
	@$B/bin/predict -q --flip $(filter %.tns,$^) -o $@
$(out)/small.tns: $(out)/train.tns $(out)/valid.tns $(out)/taught.tns $(out)/distil.is $(DISTIL_NET)
	$(call say,train $(DISTIL_NET), taught by that)
	@$B/bin/cnn-train -n @$(DISTIL_NET) $(DISTIL_TRAIN) --teacher $(@D)/taught.tns --valid $(@D)/valid.tns \
		--log $(@:.tns=.tsv) $(call go_on,$@) $< -o $@
$(out)/small.txt: $(out)/small.tns $(out)/valid.tns
	@$B/bin/predict -q --flip $^ | $B/bin/score -q -o $@
	@head -1 $@

$(clean_test)
$(call depend_on,lookup,$(LOOKUP))
$(out)/test-predicted.tns: $(out)/final.is $(final) $(out)/test.tns
	$(call say,predict the test faces)
	@$B/bin/predict $(tta) $(filter %.tns,$^) -o $@
$(out)/test.png: $(out)/test-predicted.tns
	@$B/bin/render faces --count 24 $< -o $@
$(out)/submission.csv: $(out)/test-predicted.tns $(call path,$(LOOKUP)) $(out)/lookup.is
	$(call say,answer every row of $(LOOKUP))
	@$B/bin/submit --lookup $(call quote,$(LOOKUP)) $< -o $@
endef
$(foreach p,keypoints:KEYPOINTS ensemble:ENSEMBLE best:BEST,$(eval $(call settings,$(firstword $(subst :, ,$p)),$(lastword $(subst :, ,$p)),$(of_csv) NET EPOCHS KEYPOINTS_EPOCHS PRECISION KEYPOINTS_TRAIN MODELS REFIT UNLABELLED DISTIL_NET DISTIL_TRAIN TEST LOOKUP))$(eval $(value points)))
keypoints: $(KEYPOINTS)/.made
ensemble: $(ENSEMBLE)/.made
best: $(BEST)/.made
.PHONY: distil
distil:
	@$(MAKE) --no-print-directory $(BEST)/small.txt
