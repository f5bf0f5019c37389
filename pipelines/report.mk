# A run as one HTML page, FOLDER/report.html (report.sh): steps, curves, errors by point, faces, what was cleaned, settings. Each pipeline ends with it.
## data: make report [FOLDER=out/keypoints] | one HTML page a run, FOLDER/report.html: curves, errors by point, faces, faults, settings
FOLDER ?= $(patsubst %/,%,$(sort $(dir $(wildcard out/*/*.tns out/*/*.txt))))
.PHONY: report
report: $B/built
	$(if $(and $(filter file,$(origin FOLDER)),$(wildcard $(firstword $(RUN))/.)),$(error RUN=$(RUN): RUN starts programs; make report FOLDER=$(RUN)))
	$(if $(FOLDER),,@echo "report: there is no run in out/: make demo, or FOLDER=out/keypoints"; exit 1)
	@for d in $(FOLDER); do BIN=$B/bin pipelines/report.sh "$$d" "$$d/report.html" && echo "$$d/report.html" || exit 1; done

# the end of a pipeline, in the recipe of $(out)/.made; what the demo runs is on its own page
report = $(if $(filter $(DEMO)/%,$(@D)),,@BIN=$B/bin pipelines/report.sh $(@D) $(@D)/report.html && echo "report: $(@D)/report.html")

## first: make watch [LOG=out/keypoints/model-1.tsv] | the curve of a running training in the terminal, of the newest log without LOG; ONCE=1: one frame
.PHONY: watch
watch:
	@ONCE='$(ONCE)' pipelines/watch.sh $(if $(LOG),$(call quote,$(LOG)))
