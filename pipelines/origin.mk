# The net that the study of 2014 could not train to the end: one convolution, everything joined to everything, a map of 96x96; 975 million
# weights, 7.6 GiB of memory, 3.9 GB of model.
## data: make origin | the net of 975 million weights, to the end, in out/origin
ORIGIN ?= out/origin
origin.ORIGIN_TRAIN = -e 10 -b 64 -r 0.0005 -m 0.9 --optimizer sgd --schedule cosine --augment flip
origin.ORIGIN_NET = pipelines/nets/origin.net

$(call settings,origin,ORIGIN,$(of_csv) ORIGIN_TRAIN ORIGIN_NET)
origin: $(ORIGIN)/.made
$(ORIGIN)/.made: $(addprefix $(ORIGIN)/,score.txt maps.png curves.png)
	@echo "made in $(@D):"; ls $(@D); head -1 $<; awk 'END {printf "hours %.3f\n", $$NF / 3600}' $(@D)/model.tsv
	$(report)
	@touch $@

$(call from_csv,model.tns)
$(call depend_on,train,$(ORIGIN_NET) $(ORIGIN_TRAIN))

$(ORIGIN)/model.tns: $(ORIGIN)/train.tns $(ORIGIN)/valid.tns $(ORIGIN)/train.is $(ORIGIN_NET)
	$(call say,train $(ORIGIN_NET))
	@$B/bin/cnn-train -n @$(ORIGIN_NET) --target map $(ORIGIN_TRAIN) --valid $(@D)/valid.tns --log $(@:.tns=.tsv) $< $(call go_on,$@) -o $@
$(ORIGIN)/valid-predicted.tns: $(ORIGIN)/model.tns
	$(call say,predict the held-out faces)
	@$B/bin/predict --flip --maps $< $(@D)/valid.tns -o $@
$(ORIGIN)/score.txt: $(ORIGIN)/valid-predicted.tns
	@$B/bin/score $< -o $@
$(ORIGIN)/maps.png: $(ORIGIN)/valid-predicted.tns
	$(call say,its maps over held-out faces)
	@$B/bin/render maps --count 12 $< -o $@
$(ORIGIN)/curves.png: $(ORIGIN)/model.tns
	@$B/bin/render curves --y valid_rmse_px --ylabel 'RMSE on held-out faces (pixels)' $(@D)/model.tsv -o $@
