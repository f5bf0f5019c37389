# A finder of faces: windows of faces and of what is none, a small net that tells them apart, and what it finds in scenes that it has not seen.
## data: make finder | a finder of faces for face-find, of synthetic faces without CSV; recall and false boxes on made scenes, in out/finder
# Without CSV faces are synthetic, in photographs of one or two, whose boxes windows of 20x28 show; with CSV faces are whole images, windows of
# 24x24, and the scenes' faces are those held out (GROUPS, KEYPOINTS_PARTS), pasted before things that are none (scenes.sh).
# Twice the finder goes over backgrounds without faces, and what it takes for one is learned from, too.
FINDER ?= out/finder
finder.without_csv = 1
finder.FINDER_PHOTOS = 1500
finder.FINDER_BACKGROUNDS = 1000
finder.FINDER_SCENES = 200
finder.FINDER_NET = pipelines/nets/window.net
finder.FINDER_WINDOWS = --negatives 8 --windows 60
finder.FINDER_TRAIN = -e 8 -b 64 -r 0.002 --optimizer adam --schedule cosine --augment contrast=0.4,brightness=0.2,noise=0.03
finder.FINDER_FIND =

$(call settings,finder,FINDER,$(of_csv) FINDER_PHOTOS FINDER_BACKGROUNDS FINDER_SCENES FINDER_NET FINDER_WINDOWS FINDER_TRAIN FINDER_FIND)
finder_size := --size $(if $(CSV),24x24,20x28)
finder_window := $(finder_size)$(if $(CSV),, --margin 0.25)

finder: $(FINDER)/.made
$(FINDER)/.made: $(addprefix $(FINDER)/,table.txt found.png windows.png)
	@echo "made in $(@D):"; ls $(@D); cat $<
	$(report)
	@touch $@

$(call depend_on,made,$(FINDER_PHOTOS))
$(call depend_on,backgrounds,$(FINDER_BACKGROUNDS))
$(call depend_on,scenes,$(FINDER_SCENES))
$(call depend_on,windows,$(finder_window) $(FINDER_WINDOWS))
$(call depend_on,train,$(FINDER_NET) $(FINDER_TRAIN))
$(call depend_on,find,$(FINDER_FIND))

ifeq ($(CSV),)
$(FINDER)/train.tns: $(FINDER)/made.is | $(FINDER)/settings.mk $B/built
	$(call say,$(FINDER_PHOTOS) photographs of one or two faces cut with a margin)
	@rm -rf $(@D)/photos
	@$B/bin/face-synth --photos $(FINDER_PHOTOS) --photo-size 240x240 --faces 2 --face-max 200 -s 101 --form table -o $(@D)/photos
	@$B/bin/tns-import -q --form table --margin 0.25 --size 80x112 $(@D)/photos/labels.csv -o $@
$(FINDER)/scenes/labels.csv: $(FINDER)/scenes.is | $B/built
	$(call say,$(FINDER_SCENES) scenes of 640x480 with one to four other faces)
	@rm -rf $(@D)
	@$B/bin/face-synth --photos $(FINDER_SCENES) -s 104 --form table -o $(@D)
else
$(call from_csv,finder*.tns)
$(FINDER)/scenes/labels.csv: $(FINDER)/valid.tns $(FINDER)/scenes.is pipelines/scenes.sh
	$(call say,$(FINDER_SCENES) scenes of 640x480 with one to four held-out faces)
	@rm -rf $(@D)
	@pipelines/scenes.sh $B/bin $< $(FINDER_SCENES) 104 $(@D)
endif
# seed 102 to cut windows from, 103 to look for false alarms in
$(FINDER)/backgrounds.tns: $(FINDER)/backgrounds.is | $(FINDER)/settings.mk $B/built
	$(call say,$(FINDER_BACKGROUNDS) pictures without faces and as many more to look for false alarms in)
	@rm -rf $(@D)/backgrounds $(@D)/others
	@$B/bin/face-synth --photos $(FINDER_BACKGROUNDS) --faces 0 --photo-size 320x240 -s 102 -o $(@D)/backgrounds
	@$B/bin/face-synth --photos $(FINDER_BACKGROUNDS) --faces 0 -s 103 -o $(@D)/others
	@$B/bin/tns-import -q --form folder --size 320x240 $(@D)/backgrounds -o $@
	@rm -r $(@D)/backgrounds

# finder-1 knows backgrounds alone, finder-2 and finder what the one before took for faces in them, too
finder_1 := $(FINDER)/finder-1.tns
finder_2 := $(FINDER)/finder-2.tns
finder_3 := $(FINDER)/finder.tns
define finder_round
$(FINDER)/windows-$(1).tns: $(FINDER)/train.tns $(FINDER)/backgrounds.tns $(FINDER)/windows.is $(2)
	$$(call say,windows of faces and of what is none)
	@$B/bin/window-extract $(finder_window) $(FINDER_WINDOWS) $$< --others $(FINDER)/backgrounds.tns $(2:%=--others %) -o $$@
$(finder_$(1)): $(FINDER)/windows-$(1).tns $(FINDER_NET) $(FINDER)/train.is
	$$(call say,train $(FINDER_NET) in round $(1) of 3)
	@$B/bin/cnn-train -n @$(FINDER_NET) --target label $(FINDER_TRAIN) $(3) --log $$(@:.tns=.tsv) $$< $$(call go_on,$$@) -o $$@
$(FINDER)/alarms-$(1).tns: $(finder_$(1))
	$$(call say,what it takes for faces in pictures without any)
	@$B/bin/face-find --threshold 0.1 $(finder_size) $$< $(FINDER)/others -o $$@
endef
$(eval $(call finder_round,1,,))
$(eval $(call finder_round,2,$(FINDER)/alarms-1.tns,--init $(finder_1)))
$(eval $(call finder_round,3,$(FINDER)/alarms-1.tns $(FINDER)/alarms-2.tns,--init $(finder_2)))

$(FINDER)/windows.png: $(FINDER)/windows-1.tns
	@$B/bin/render tiles --count 200 $< -o $@
# each found box against the true ones; what is found at a lower threshold, too, and how long it took
$(FINDER)/table.txt $(FINDER)/found.tns &: $(finder_3) $(FINDER)/scenes/labels.csv $(FINDER)/find.is pipelines/finder.awk
	$(call say,find the faces of the scenes)
	@begin=$$(date +%s.%N); $B/bin/face-find $(FINDER_FIND) $< $(@D)/scenes -o $(@D)/found.tns; end=$$(date +%s.%N); \
	$B/bin/face-find -q $(FINDER_FIND) --threshold 0.3 $< $(@D)/scenes | $B/bin/tns-export --form csv -o $(@D)/boxes.csv; \
	$B/bin/tns-export --form csv $(@D)/found.tns -o $(@D)/found.csv; \
	{ echo "faces in $(FINDER_SCENES) scenes, those found (overlap 0.5), false boxes"; \
	awk -v images=$(FINDER_SCENES) -f pipelines/finder.awk $(@D)/scenes/labels.csv $(@D)/found.csv; \
	awk -v a=$$begin -v b=$$end 'BEGIN {printf "%.1f images a second\n", $(FINDER_SCENES) / (b - a)}'; echo; echo "by score"; \
	awk -v images=$(FINDER_SCENES) -v curve=1 -f pipelines/finder.awk $(@D)/scenes/labels.csv $(@D)/boxes.csv; $(machine); } >$(@D)/table.txt.tmp && mv $(@D)/table.txt.tmp $(@D)/table.txt
$(FINDER)/found.png: $(FINDER)/found.tns
	@if [ "$$($B/bin/tns-info $< | awk '$$1 == "image" {print $$3 + 0}')" = 0 ]; then \
	echo "$@: nothing was found: the scenes instead"; $B/bin/tns-import -q --form folder --size 160x120 $(@D)/scenes | $B/bin/render faces --count 12 -o $@; \
	else $B/bin/tns-select --sample 40 $< | $B/bin/render faces -o $@; fi
