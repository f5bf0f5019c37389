# A model's error on faces as they are, and on the same ones changed (robust.sh has the changes).
## measure: make robust MODEL=model.tns DATA=faces.tns [FLIP=1] [ROBUST_PREDICT=--align] | RMSE of faces as they are, moved, scaled, turned, darker, with noise, compressed, blurred by motion
.PHONY: robust
ifneq ($(filter robust,$(MAKECMDGOALS)),)
pipeline := robust
folder := MODEL
variables := DATA FLIP ROBUST_PREDICT
$(check_names)
$(if $(and $(MODEL),$(DATA)),,$(error usage: make robust MODEL=model.tns DATA=faces.tns [FLIP=1] [ROBUST_PREDICT=--align]))
$(foreach v,MODEL DATA,$(check_path))
$(if $(filter-out 0 1,$(FLIP)),$(error FLIP=$(FLIP): 1 or 0))
endif
robust: $B/built
	@pipelines/robust.sh $B/bin $(call quote,$(MODEL)) $(call quote,$(DATA)) $(call quote,$(if $(filter-out 0,$(FLIP)),--flip) $(ROBUST_PREDICT)) && $(machine)
