# CSV to submission and pictures:
## data: make keypoints [TEST=test.csv LOOKUP=IdLookupTable.csv] | points: from CSV to model, scores, pictures and submission, in out/keypoints
## data: make ensemble [MODELS=3] | the same, several models averaged, in out/ensemble
## data: make best | the same with the largest net and more of everything: hours, in out/best
# Every file in $(KEYPOINTS) can be looked into (tns-info), drawn (render) and made again alone (make out/keypoints/FILE CSV=...).
KEYPOINTS ?= out/keypoints
NET ?= pipelines/nets/heat.net
KEYPOINTS_EPOCHS ?= 100
KEYPOINTS_TRAIN ?= -e $(KEYPOINTS_EPOCHS) $(heat_train)
# models that differ by their seed, averaged
MODELS ?= 1

models = $(patsubst %,$(KEYPOINTS)/model-%.tns,$(shell seq $(MODELS)))
maps = $(findstring heatmap,$(KEYPOINTS_TRAIN))
keypoints: $(addprefix $(KEYPOINTS)/,score.txt valid.png worst.png curves.png $(if $(maps),maps.png,filters.png)) \
	$(if $(filter-out 1,$(MODELS)),$(KEYPOINTS)/scores.txt) \
	$(if $(TEST),$(KEYPOINTS)/test.png $(if $(LOOKUP),$(KEYPOINTS)/submission.csv))
	@echo "made in $(KEYPOINTS):"; ls $(KEYPOINTS); head -1 $(KEYPOINTS)/score.txt; cat $(KEYPOINTS)/scores.txt 2>/dev/null || true
	@n=$$($B/bin/tns-info $(KEYPOINTS)/valid.tns | awk '$$1 == "image" {print $$3 + 0}'); \
	[ $$n -ge 24 ] || echo "(a rough score, of $$n held-out faces: pipelines/README.md, \"Small sets\")"

ENSEMBLE ?= out/ensemble
BEST ?= out/best
best_train = -e 160 $(heat_train)
ensemble:
	@$(MAKE) --no-print-directory keypoints KEYPOINTS=$(ENSEMBLE) MODELS=$(if $(filter 1,$(MODELS)),3,$(MODELS))
best:
	@$(MAKE) --no-print-directory keypoints KEYPOINTS=$(BEST) NET=pipelines/nets/best.net KEYPOINTS_TRAIN='$(best_train)' \
		MODELS=$(if $(filter 1,$(MODELS)),3,$(MODELS))

$(eval $(call from_csv,$(KEYPOINTS)))
$(KEYPOINTS)/train.is: value = $(NET) $(KEYPOINTS_TRAIN)

# model-SEED.tns; a run that was killed goes on, unless data or options are newer than what it kept
$(KEYPOINTS)/model-%.tns: $(KEYPOINTS)/train.tns $(KEYPOINTS)/valid.tns $(KEYPOINTS)/train.is $(NET)
	$(call say,train $(NET)$(if $(filter-out 1,$(MODELS)), ($* of $(MODELS))))
	@for f in $^; do [ ! $$f -nt $(@D)/.model-$*.checkpoint ] || rm -f $(@D)/.model-$*.checkpoint; done
	@$B/bin/cnn-train -n @$(NET) $(KEYPOINTS_TRAIN) -s $* --valid $(@D)/valid.tns --suspects $(@:.tns=-suspects.tsv) \
		--log $(@:.tns=.tsv) --checkpoint $(@D)/.model-$*.checkpoint --resume $< -o $@
	@rm -f $(@D)/.model-$*.checkpoint
$(KEYPOINTS)/models.is: value = $(MODELS)
$(KEYPOINTS)/valid-predicted.tns: $(KEYPOINTS)/models.is $(models)
	$(call say,predict the held-out faces)
	@$B/bin/predict --flip $(filter %.tns,$^) $(@D)/valid.tns -o $@
# of an ensemble also what each model reaches alone
$(KEYPOINTS)/scores.txt: $(KEYPOINTS)/score.txt
	@{ for m in $(models); do echo "$$(basename $$m .tns) $$($B/bin/predict -q --flip $$m $(@D)/valid.tns | $B/bin/score | head -1)"; done; \
	echo "averaged $$(head -1 $<)"; } >$@.tmp && mv $@.tmp $@
$(KEYPOINTS)/score.txt: $(KEYPOINTS)/valid-predicted.tns
	@$B/bin/score $< -o $@
$(KEYPOINTS)/valid.png: $(KEYPOINTS)/valid-predicted.tns
	$(call say,truth and prediction on held-out faces)
	@$B/bin/render faces --count 24 $< -o $@
$(KEYPOINTS)/worst.png: $(KEYPOINTS)/valid-predicted.tns
	$(call say,the held-out faces with the largest errors)
	@$B/bin/render faces --worst --count 24 $< -o $@
$(KEYPOINTS)/curves.png: $(KEYPOINTS)/models.is $(models)
	@$B/bin/render curves --y valid_rmse_px --ylabel 'RMSE on held-out faces (pixels)' $(patsubst %.tns,%.tsv,$(filter %.tns,$^)) -o $@
$(KEYPOINTS)/filters.png: $(KEYPOINTS)/model-1.tns
	@$B/bin/render tiles $< -o $@
$(KEYPOINTS)/maps.png: $(KEYPOINTS)/valid-predicted.tns $(models)
	$(call say,heat maps over held-out faces)
	@$B/bin/predict -q --flip --maps $(models) $(@D)/valid.tns | $B/bin/render maps --count 12 -o $@

$(KEYPOINTS)/test.tns: $(TEST) | $B/built
	$(call say,read the test file)
	@$B/bin/csv-clean --keep-all $(CLEAN) $(TEST) -o $@
$(KEYPOINTS)/test-predicted.tns: $(KEYPOINTS)/models.is $(models) $(KEYPOINTS)/test.tns
	$(call say,predict the test faces)
	@$B/bin/predict --flip $(filter %.tns,$^) -o $@
$(KEYPOINTS)/test.png: $(KEYPOINTS)/test-predicted.tns
	@$B/bin/render faces --count 24 $< -o $@
$(KEYPOINTS)/submission.csv: $(KEYPOINTS)/test-predicted.tns $(LOOKUP)
	$(call say,answer every row of $(LOOKUP))
	@$B/bin/submit --lookup $(LOOKUP) $< -o $@
