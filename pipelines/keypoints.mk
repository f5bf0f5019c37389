# CSV to submission and pictures:
## make keypoints CSV=training.csv[.gz] [TEST=test.csv[.gz] LOOKUP=IdLookupTable.csv] [GROUPS=groups.csv]
# Every file in $(KEYPOINTS) can be looked into (tns-info), drawn (render) and made again alone (make out/keypoints/FILE CSV=...).
# Rows of one person must not stand on both sides of the split: GROUPS says which they are, else near-duplicate images are kept together.
KEYPOINTS ?= out/keypoints
NET ?= pipelines/nets/conv.net
KEYPOINTS_TRAIN ?= -e 40 -b 32 -r 0.0007 --optimizer adam --schedule cosine --augment flip,shift=3,rotate=8,scale=0.08,contrast=0.2,brightness=0.1
KEYPOINTS_PARTS ?= 0.85,0.15

# FILE.is holds an option's value and is newer than what was made with another one
%.is: FORCE
	@mkdir -p $(@D); echo '$(value)' | cmp -s - $@ || echo '$(value)' >$@
.PHONY: FORCE

say = @printf '%-12s %s\n' '$(notdir $@)' '$(1)'

keypoints: $(addprefix $(KEYPOINTS)/,score.txt valid.png worst.png curves.png filters.png) \
	$(if $(TEST),$(KEYPOINTS)/test.png $(if $(LOOKUP),$(KEYPOINTS)/submission.csv))
	@echo "made in $(KEYPOINTS):"; ls $(KEYPOINTS); head -1 $(KEYPOINTS)/score.txt

$(KEYPOINTS)/csv.is: value = $(CSV)
$(KEYPOINTS)/split.is: value = $(KEYPOINTS_PARTS) $(GROUPS)
$(KEYPOINTS)/train.is: value = $(NET) $(KEYPOINTS_TRAIN)

$(KEYPOINTS)/clean.tns: $(CSV) $(KEYPOINTS)/csv.is | $(bins)
	$(if $(CSV),,@echo "usage: make $(firstword $(MAKECMDGOALS)) CSV=training.csv[.gz]"; exit 2)
	$(call say,clean the training file)
	@$B/bin/csv-clean $(CSV) --report $(@D)/clean.tsv -o $@
$(KEYPOINTS)/train.tns $(KEYPOINTS)/valid.tns &: $(KEYPOINTS)/clean.tns $(KEYPOINTS)/split.is $(GROUPS)
	$(call say,split by person)
	@$B/bin/tns-split --parts $(KEYPOINTS_PARTS) $(if $(GROUPS),--groups $(GROUPS),--by near) $< -o $(@D)/train.tns -o $(@D)/valid.tns
$(KEYPOINTS)/model.tns: $(KEYPOINTS)/train.tns $(KEYPOINTS)/valid.tns $(KEYPOINTS)/train.is $(NET)
	$(call say,train $(NET))
	@$B/bin/cnn-train -n @$(NET) $(KEYPOINTS_TRAIN) --valid $(@D)/valid.tns --log $(@D)/model.tsv $< -o $@
$(KEYPOINTS)/valid-predicted.tns: $(KEYPOINTS)/model.tns
	$(call say,predict the held-out faces)
	@$B/bin/predict --flip $< $(@D)/valid.tns -o $@
$(KEYPOINTS)/score.txt: $(KEYPOINTS)/valid-predicted.tns
	@$B/bin/score $< -o $@
$(KEYPOINTS)/valid.png: $(KEYPOINTS)/valid-predicted.tns
	$(call say,truth and prediction on held-out faces)
	@$B/bin/render faces --count 24 $< -o $@
$(KEYPOINTS)/worst.png: $(KEYPOINTS)/valid-predicted.tns
	$(call say,the held-out faces with the largest errors)
	@$B/bin/render faces --worst --count 24 $< -o $@
$(KEYPOINTS)/curves.png: $(KEYPOINTS)/model.tns
	@$B/bin/render curves --y valid_rmse_px --ylabel 'RMSE on held-out faces (pixels)' $(@D)/model.tsv -o $@
$(KEYPOINTS)/filters.png: $(KEYPOINTS)/model.tns
	@$B/bin/render tiles $< -o $@

$(KEYPOINTS)/test.tns: $(TEST) | $(bins)
	$(call say,read the test file)
	@$B/bin/csv-clean --keep-all $(TEST) -o $@
$(KEYPOINTS)/test-predicted.tns: $(KEYPOINTS)/model.tns $(KEYPOINTS)/test.tns
	$(call say,predict the test faces)
	@$B/bin/predict --flip $^ -o $@
$(KEYPOINTS)/test.png: $(KEYPOINTS)/test-predicted.tns
	@$B/bin/render faces --count 24 $< -o $@
$(KEYPOINTS)/submission.csv: $(KEYPOINTS)/test-predicted.tns $(LOOKUP)
	$(call say,answer every row of $(LOOKUP))
	@$B/bin/submit --lookup $(LOOKUP) $< -o $@
