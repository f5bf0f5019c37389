# The predictions of a large data set by parts of its rows, side by side under make -j: tns-cat joins them, and its history names all parts.
## measure: make predict MODEL=model.tns DATA=faces.tns [PARTS=8] [PREDICT='--flip --align'] | predictions by parts, side by side under -j, in out/predict/predicted.tns
PREDICTED ?= out/predict
PARTS ?= 8
PREDICT ?= --flip
.PHONY: predict
predict: $(PREDICTED)/predicted.tns
ifneq ($(filter predict $(PREDICTED)/%,$(MAKECMDGOALS)),)
pipeline := predict
folder := PREDICTED
variables := MODEL DATA PARTS PREDICT
$(check_names)
$(if $(and $(MODEL),$(DATA)),,$(error usage: make predict MODEL=model.tns DATA=faces.tns [PARTS=8] [PREDICT='--flip --align']))
$(foreach v,MODEL DATA,$(check_path))
$(foreach v,PARTS,$(check_number))
out := $(PREDICTED)
$(call depend_on,predict,$(MODEL) $(DATA) $(PARTS) $(PREDICT))
$(PREDICTED)/settings.mk:
	@mkdir -p $(@D); : >$@
predict_parts := $(patsubst %,$(PREDICTED)/part-%.tns,$(shell seq $(PARTS)))
# part K of N rows: from N (K - 1) / PARTS + 1 to N K / PARTS
$(predict_parts): $(PREDICTED)/part-%.tns: $(call path,$(MODEL)) $(call path,$(DATA)) $(PREDICTED)/predict.is | $B/built
	@n=$$($B/bin/tns-info $(call quote,$(DATA)) | awk '$$1 == "image" {print $$3 + 0}'); \
	[ $$n -ge $(PARTS) ] || { echo "make predict: $$n rows are fewer than PARTS=$(PARTS)" >&2; exit 1; }; \
	$B/bin/tns-select -q --rows $$((n * ($* - 1) / $(PARTS) + 1))-$$((n * $* / $(PARTS))) $(call quote,$(DATA)) | $B/bin/predict -q $(PREDICT) $(call quote,$(MODEL)) -o $@
$(PREDICTED)/predicted.tns: $(predict_parts)
	$(call say,$(PARTS) parts joined)
	@$B/bin/tns-cat -q $^ -o $@
endif
