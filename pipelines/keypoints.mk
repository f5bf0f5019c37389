# CSV to submission and pictures:
## data: make keypoints [TEST=test.csv LOOKUP=IdLookupTable.csv] | points: from CSV to model, scores, pictures and submission, in out/keypoints
## data: make ensemble [MODELS=3] | the same, several models averaged, in out/ensemble
## data: make best | the same, five models averaged: an hour or two, in out/best
# Every file in $(KEYPOINTS) can be looked into (tns-info), drawn (render) and made again alone (make out/keypoints/FILE).
KEYPOINTS ?= out/keypoints
ENSEMBLE ?= out/ensemble
BEST ?= out/best
# estimates of a face that are averaged: it and its mirror image, as they are and shifted by two pixels in four directions
tta := --flip --tta 5
# PRECISION: bf16 or fp32. NET: a file, or a name in pipelines/nets. MODELS: so many that differ by their seed, averaged. KEYPOINTS_TRAIN: all options of cnn-train.
keypoints.NET = pipelines/nets/best.net
keypoints.EPOCHS = 60
keypoints.KEYPOINTS_EPOCHS = $(EPOCHS)
keypoints.PRECISION = $(precision)
keypoints.KEYPOINTS_TRAIN = -e $(KEYPOINTS_EPOCHS) $(heat_train) --precision $(PRECISION)
keypoints.MODELS = 1
$(foreach p,ensemble best,$(foreach v,NET EPOCHS KEYPOINTS_EPOCHS PRECISION KEYPOINTS_TRAIN,$(eval $p.$v = $(value keypoints.$v))))
ensemble.MODELS = 3
best.MODELS = 5

models = $(patsubst %,$(out)/model-%.tns,$(seeds))
# the rules of a folder, thrice
define points
seeds := $(if $(filter 1,$(MODELS)),1,$(shell seq $(MODELS)))
$(out)/%: private override seeds := $(seeds)
$(out)/.made: $(addprefix $(out)/,score.txt valid.png worst.png curves.png $(if $(findstring heatmap,$(KEYPOINTS_TRAIN))$(findstring --preset,$(KEYPOINTS_TRAIN)),maps.png,filters.png)) \
	$(if $(filter-out 1,$(MODELS)),$(out)/scores.txt) $(if $(TEST),$(out)/test.png $(if $(LOOKUP),$(out)/submission.csv))
	@echo "made in $(@D):"; ls $(@D); head -1 $(@D)/score.txt; cat $(filter %/scores.txt,$^) </dev/null
	@n=$$($B/bin/tns-info $(@D)/valid.tns | awk '$$1 == "image" {print $$3 + 0}'); \
	[ $$n -ge 24 ] || echo "(a rough score, of $$n held-out faces: pipelines/README.md, \"Small sets\")"
	$(report)
	@touch $@

$(call from_csv,model-*.tns)
$(call depend_on,train,$(NET) $(KEYPOINTS_TRAIN))

# model-SEED.tns; a run that was killed goes on, unless data or options are newer than what it kept
$(out)/model-%.tns: $(out)/train.tns $(out)/valid.tns $(out)/train.is $(NET)
	$(call say,train $(NET)$(if $(filter bf16,$(KEYPOINTS_TRAIN)), in bf16)$(if $(filter-out 1,$(MODELS)), ($* of $(MODELS))))
	@for f in $^; do [ ! $$f -nt $(@D)/.model-$*.checkpoint ] || rm -f $(@D)/.model-$*.checkpoint; done
	@$B/bin/cnn-train -n @$(NET) $(KEYPOINTS_TRAIN) -s $* --valid $(@D)/valid.tns --suspects $(@:.tns=-suspects.tsv) \
		--log $(@:.tns=.tsv) --checkpoint $(@D)/.model-$*.checkpoint --resume $< -o $@
	@rm -f $(@D)/.model-$*.checkpoint
$(call depend_on,models,$(MODELS))
$(out)/valid-predicted.tns: $(out)/models.is $(models)
	$(call say,predict the held-out faces)
	@$B/bin/predict $(tta) $(filter %.tns,$^) $(@D)/valid.tns -o $@
# of an ensemble also what each model reaches alone
$(out)/scores.txt: $(out)/score.txt
	@{ for m in $(models); do echo "$$(basename $$m .tns) $$($B/bin/predict -q $(tta) $$m $(@D)/valid.tns | $B/bin/score | head -1)"; done; \
	echo "averaged $$(head -1 $<)"; } >$@.tmp && mv $@.tmp $@
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

$(clean_test)
$(call depend_on,lookup,$(LOOKUP))
$(out)/test-predicted.tns: $(out)/models.is $(models) $(out)/test.tns
	$(call say,predict the test faces)
	@$B/bin/predict $(tta) $(filter %.tns,$^) -o $@
$(out)/test.png: $(out)/test-predicted.tns
	@$B/bin/render faces --count 24 $< -o $@
$(out)/submission.csv: $(out)/test-predicted.tns $(call path,$(LOOKUP)) $(out)/lookup.is
	$(call say,answer every row of $(LOOKUP))
	@$B/bin/submit --lookup $(call quote,$(LOOKUP)) $< -o $@
endef
$(foreach p,keypoints:KEYPOINTS ensemble:ENSEMBLE best:BEST,$(eval $(call settings,$(firstword $(subst :, ,$p)),$(lastword $(subst :, ,$p)),$(of_csv) NET EPOCHS KEYPOINTS_EPOCHS PRECISION KEYPOINTS_TRAIN MODELS TEST LOOKUP))$(eval $(value points)))
keypoints: $(KEYPOINTS)/.made
ensemble: $(ENSEMBLE)/.made
best: $(BEST)/.made
