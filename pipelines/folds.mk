# Cross-validation: every face is predicted by a net that has not seen it, nor its person, and no epoch is chosen on it.
## data: make folds [FOLDS=5] | each face predicted by a net that was trained without it (by person, GROUPS=), its errors, in out/folds
FOLDED ?= out/folds
folds.FOLDS = 5
folds.NET = pipelines/nets/heat.net
folds.EPOCHS = 40
folds.PRECISION = $(precision)
folds.FOLDS_TRAIN = -e $(EPOCHS) $(heat_train) --precision $(PRECISION)

$(call settings,folds,FOLDED,CSV CLEAN GROUPS FOLDS NET EPOCHS PRECISION FOLDS_TRAIN TEST)
$(if $(asked),$(if $(filter-out 1,$(FOLDS)),,$(error FOLDS=$(FOLDS): at least 2, as each is predicted by a net trained on the others)))
fold_numbers := $(shell seq $(FOLDS))
$(if $(asked),$(if $(word 65,$(fold_numbers)),$(error FOLDS=$(FOLDS): at most 64)))
folds: $(FOLDED)/.made
$(FOLDED)/.made: $(addprefix $(FOLDED)/,score.txt errors.tsv worst.png) $(if $(TEST),$(FOLDED)/test-predicted.tns)
	@echo "made in $(@D):"; ls $(@D); cat $<
	$(report)
	@touch $@

$(clean_csv)
$(call depend_on,split,$(FOLDS) $(GROUPS))
$(call depend_on,train,$(NET) $(FOLDS_TRAIN))
# fold-K.tns: the faces that model-K.tns has not seen
$(fold_numbers:%=$(FOLDED)/fold-%.tns) &: $(FOLDED)/clean.tns $(FOLDED)/split.is $(call path,$(GROUPS))
	$(call say,$(FOLDS) folds by $(if $(GROUPS),person,likeness of images))
	@$B/bin/tns-split --parts $$(awk 'BEGIN {n = $(FOLDS); for (k = 1; k < n; k++) printf "%.9f,", 1 / n; printf "%.9f", 1 - (n - 1) * sprintf("%.9f", 1 / n)}') \
		$(if $(GROUPS),--groups $(call quote,$(GROUPS)),--by near) $< $(fold_numbers:%=-o $(@D)/fold-%.tns)
	@cd $(@D) && rm -f model-*.tns model-*.tsv model-*.last predicted-*.tns; n=$(FOLDS); while [ -e fold-$$((n += 1)).tns ]; do rm fold-$$n.tns; done
$(FOLDED)/model-%.tns: $(fold_numbers:%=$(FOLDED)/fold-%.tns) $(FOLDED)/train.is $(NET)
	$(call say,train $(NET)$(if $(filter bf16,$(FOLDS_TRAIN)), in bf16) without fold $* of $(FOLDS))
	@$B/bin/tns-cat -q $(filter-out %/fold-$*.tns,$(fold_numbers:%=$(@D)/fold-%.tns)) | \
		$B/bin/cnn-train -n @$(NET) $(FOLDS_TRAIN) --valid-part 0 --log $(@:.tns=.tsv) $(call go_on,$@) -o $@
$(FOLDED)/predicted-%.tns: $(FOLDED)/model-%.tns $(FOLDED)/fold-%.tns
	@$B/bin/predict -q $(tta) $^ -o $@
$(FOLDED)/predicted.tns: $(fold_numbers:%=$(FOLDED)/predicted-%.tns)
	$(call say,all faces with their predictions)
	@$B/bin/tns-cat -q $^ -o $@
$(FOLDED)/score.txt: $(FOLDED)/predicted.tns
	@$B/bin/score $< -o $@
$(FOLDED)/errors.tsv: $(FOLDED)/predicted.tns
	@$B/bin/score $< --report $@ -o /dev/null
$(FOLDED)/worst.png: $(FOLDED)/predicted.tns
	$(call say,the faces with the largest errors: hard ones, or wrong labels)
	@$B/bin/render faces --worst --count 24 $< -o $@
$(clean_test)
$(FOLDED)/test-predicted.tns: $(fold_numbers:%=$(FOLDED)/model-%.tns) $(FOLDED)/test.tns
	$(call say,predict the test faces by all $(FOLDS) models averaged)
	@$B/bin/predict $(tta) $^ -o $@
