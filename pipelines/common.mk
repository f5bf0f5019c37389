# What the chains share: how a step speaks, values that files depend on, a CSV cleaned and split by person.
# CLEAN: more options of csv-clean, e.g. CLEAN='--size 64x48' for images that are no squares, or CLEAN='--suspects FILE'.
# Rows of one person must not stand on both sides of a split: GROUPS says which they are, else images that look alike are kept together.
CLEAN ?=
# shares to train on and held out, else 0.92,0.08, of fewer than 300 faces 0.8,0.2
KEYPOINTS_PARTS ?=
# labels may be wrong, and count from another place: what the nets of heat maps are trained with
heat_train := --target heatmap --sigma 3 --loss smooth --distrust 8 -b 32 -r 0.002 --optimizer adam --schedule cosine \
	--augment flip,shift=4,rotate=12,scale=0.1,contrast=0.3,brightness=0.15,cutout=0.2
# quoted for the shell
quote = '$(subst ','\'',$(1))'
empty :=
comma := ,

# FILE.is holds an option's value and is newer than what was made with another one
%.is: FORCE
	@mkdir -p $(@D); echo '$(value)' | cmp -s - $@ || echo '$(value)' >$@
.PHONY: FORCE

need_csv = $(if $(CSV),,@echo "usage: make $(firstword $(MAKECMDGOALS)) CSV=training.csv[.gz|.zip]"; exit 2)
# the last line of a table: on what it was measured
machine = echo "on $$(pipelines/machine.sh)"
say = @printf '%-12s %s\n' '$(notdir $@)' '$(1)'

# DIR/clean.tns, DIR/train.tns and DIR/valid.tns
define from_csv
$(1)/csv.is: value = $$(CSV) $$(CLEAN)
$(1)/split.is: value = $$(KEYPOINTS_PARTS) $$(GROUPS)
$(1)/clean.tns: $$(CSV) $(1)/csv.is | $$B/built
	$$(need_csv)
	$$(call say,clean the training file)
	@$$B/bin/csv-clean $$(CLEAN) $$(CSV) --report $$(@D)/clean.tsv -o $$@
$(1)/train.tns $(1)/valid.tns &: $(1)/clean.tns $(1)/split.is $$(GROUPS)
	$$(call say,split by person)
	@pipelines/split.sh $$B/bin "$$(KEYPOINTS_PARTS)" "$$(GROUPS)" $$< $$(@D)/train.tns $$(@D)/valid.tns
endef
