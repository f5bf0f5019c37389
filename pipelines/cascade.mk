# The cascade: a small net for the whole face, then one that moves each point by what it sees around it; beside it one net of the same cost.
## data: make cascade | two levels against one net of the same cost, in out/cascade
CASCADE ?= out/cascade
cascade.CASCADE_TRAIN = $(heat_train)
# level 2 learns from patches around what level 1 says on the faces it knows, moved at random, as on others it errs more
cascade.CASCADE_PATCHES = --size 32x32 --jitter 4 --copies 2
cascade.CASCADE_LEVEL2 = -e 20 --target heatmap --loss smooth --distrust 8 -b 128 -r 0.002 --optimizer adam --schedule cosine \
	--augment rotate=15,scale=0.1,contrast=0.4,brightness=0.2,blur=1
cascade.LEVEL1 = pipelines/nets/small.net
cascade.LEVEL2 = pipelines/nets/level2.net
cascade.SINGLE = pipelines/nets/medium.net

$(call settings,cascade,CASCADE,$(of_csv) CASCADE_TRAIN CASCADE_PATCHES CASCADE_LEVEL2 LEVEL1 LEVEL2 SINGLE)
cascade: $(CASCADE)/.made
$(CASCADE)/.made: $(addprefix $(CASCADE)/,table.txt steps.png worst.png)
	@echo "made in $(@D):"; ls $(@D); cat $<
	$(report)
	@touch $@

$(call from_csv,level1.tns level2.tns single.tns)
$(call depend_on,train,$(LEVEL1) $(SINGLE) $(CASCADE_TRAIN))
$(call depend_on,level2,$(LEVEL2) $(CASCADE_LEVEL2) $(CASCADE_PATCHES))

$(CASCADE)/level1.tns: $(LEVEL1)
$(CASCADE)/single.tns: $(SINGLE)
$(CASCADE)/level1.tns $(CASCADE)/single.tns: $(CASCADE)/%.tns: $(CASCADE)/train.tns $(CASCADE)/valid.tns $(CASCADE)/train.is
	$(call say,train $(if $(filter level1,$(*F)),$(LEVEL1),$(SINGLE)))
	@$B/bin/cnn-train -n @$(if $(filter level1,$(*F)),$(LEVEL1),$(SINGLE)) $(CASCADE_TRAIN) --valid $(@D)/valid.tns --log $(@:.tns=.tsv) $< $(call go_on,$@) -o $@
$(CASCADE)/patches-train.tns $(CASCADE)/patches-valid.tns: $(CASCADE)/patches-%.tns: $(CASCADE)/level1.tns $(CASCADE)/level2.is
	$(call say,patches around the points that level 1 predicts)
	@$B/bin/predict -q --flip $< $(@D)/$*.tns | $B/bin/patch-extract --around predicted $(CASCADE_PATCHES) -o $@
$(CASCADE)/level2.tns: $(CASCADE)/patches-train.tns $(CASCADE)/patches-valid.tns $(LEVEL2)
	$(call say,train $(LEVEL2))
	@$B/bin/cnn-train -n @$(LEVEL2) $(CASCADE_LEVEL2) --valid $(CASCADE)/patches-valid.tns --log $(@:.tns=.tsv) $< $(call go_on,$@) -o $@
$(CASCADE)/valid-predicted.tns: $(CASCADE)/level1.tns $(CASCADE)/level2.tns
	$(call say,predict the held-out faces)
	@$B/bin/predict --flip $< --refine $(@D)/level2.tns $(@D)/valid.tns -o $@
$(CASCADE)/single-predicted.tns: $(CASCADE)/single.tns
	@$B/bin/predict -q --flip $< $(@D)/valid.tns -o $@
$(CASCADE)/score.txt: $(CASCADE)/valid-predicted.tns
$(CASCADE)/single-score.txt: $(CASCADE)/single-predicted.tns
$(CASCADE)/score.txt $(CASCADE)/single-score.txt:
	@$B/bin/score $< -o $@
$(CASCADE)/steps.png: $(CASCADE)/valid-predicted.tns
	$(call say,how the points move from level to level)
	@$B/bin/render faces --count 12 $< -o $@
$(CASCADE)/worst.png: $(CASCADE)/valid-predicted.tns
	@$B/bin/render faces --worst --count 12 $< -o $@
# what each level gains and costs; an image has as many patches as points
$(CASCADE)/table.txt: $(CASCADE)/score.txt $(CASCADE)/single-score.txt
	@cost() { $B/bin/tns-info $(@D)/$$1.tns | awk -v by=$$2 '/^operations:/ {printf "%.1f", $$2 * by / 1e6}'; }; \
	points=$$($B/bin/tns-info $(@D)/valid.tns | awk '$$1 == "keypoints" {split($$3, d, ","); print d[2]}'); \
	one=$$(cost level1 1) two=$$(cost level2 $$points) single=$$(cost single 1); \
	{ echo "what                  MFLOP an image   RMSE, pixels"; \
	awk -v one=$$one -v two=$$two '/^level/ {on = 1; next} on && NF {printf "%-21s %14.1f   %.3f\n", $$1 == 1 ? "level 1" : "level 1 and level 2", $$1 == 1 ? one : one + two, $$2}' $<; \
	awk -v cost=$$single '$$1 == "rmse_px" {printf "%-21s %14.1f   %.3f\n", "one net", cost, $$2; exit}' $(@D)/single-score.txt; $(machine); } >$@.tmp && mv $@.tmp $@
