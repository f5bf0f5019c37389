# Both pipelines, small, on synthetic faces: the README's first command.
## first: make demo | the whole chain on synthetic faces, to pictures and figures in out/demo
DEMO := out/demo

demo: $(DEMO)/.made
$(DEMO)/.made: $(DEMO)/figures.txt
	@echo; cat $(DEMO)/figures.txt; echo; echo "pictures and figures are in $(DEMO):"; cd $(DEMO) && ls *.txt */*.png
	$(report)
	@touch $@

$(DEMO)/training.csv $(DEMO)/test.csv $(DEMO)/lookup.csv $(DEMO)/solution.csv &: | $B/built
	@mkdir -p $(@D)
	@echo "demo 1 of 5: make 2000 faces with faulty and missing labels, and 200 to test on"
	@$B/bin/face-synth -n 2000 --dirt --planted $(@D)/truth.tsv --test $(@D)/test.csv --test-count 200 --test-lookup $(@D)/lookup.csv \
		--solution $(@D)/solution.csv -o $(@D)/training.csv

# not where its pipelines run, which make files of the same names
ifeq ($(filter $(DEMO)/%,$(EYES) $(KEYPOINTS)),)
$(DEMO)/eyes/table.txt: $(DEMO)/training.csv
	@echo "demo 2 of 5: the study of eyes (make eyes)"
	@rm -f $(@D)/settings.mk
	@$(MAKE) --no-print-directory eyes CSV=$< EYES=$(@D) EPOCHS=300 EYES_DAE="-H 500 -b 100 -r 0.1 -c 0.2" EYES_STUDY= EYES_DAE_ALL="-H 500 -b 100 -r 0.1 -c 0.2 -e 100" SEEDS="1 2 3" FEW="50 all" \
		EYES_CLASSIFY="-n 'fc500 sigmoid fc' --target label -e 25 -b 32 -r 0.01 --optimizer sgd -m 0"
	@$B/bin/pca-fit -q --patches positive -k 200 $(@D)/patches-train.tns -o $(@D)/pca.tns
	@$B/bin/rbm-pretrain -q --patches positive -H 200 --persistent -b 100 -r 0.05 -e 60 $(@D)/patches-train.tns -o $(@D)/rbm.tns
	@$B/bin/render tiles --count 84 $(@D)/pca.tns $(@D)/rbm.tns $(@D)/dae.tns -o $(@D)/three-kinds.png

$(DEMO)/keypoints/submission.csv: $(DEMO)/training.csv $(DEMO)/test.csv $(DEMO)/lookup.csv
	@echo "demo 3 of 5: points on faces (make keypoints)"
	@rm -f $(@D)/settings.mk
	@$(MAKE) --no-print-directory keypoints CSV=$< TEST=$(DEMO)/test.csv LOOKUP=$(DEMO)/lookup.csv KEYPOINTS=$(@D) KEYPOINTS_PARTS=0.85,0.15 \
		NET=pipelines/nets/small.net KEYPOINTS_TRAIN="-e 10 --target heatmap --sigma 3 --loss smooth -b 32 -r 0.003 --optimizer adam --schedule cosine --augment flip,shift=3,rotate=10"

# what `make cascade` does, on from the net above
$(DEMO)/cascade/score.txt: $(DEMO)/keypoints/submission.csv
	@echo "demo 4 of 5: a second level moves each point by the patch around it (make cascade)"
	@mkdir -p $(@D)
	@$B/bin/predict -q --flip $(DEMO)/keypoints/model-1.tns $(DEMO)/keypoints/train.tns | \
		$B/bin/patch-extract --around predicted --size 32x32 --jitter 3 -o $(@D)/patches.tns
	@$B/bin/cnn-train -n @pipelines/nets/level2.net --target heatmap --loss smooth -e 6 -b 64 -r 0.003 --optimizer adam --schedule cosine \
		--augment contrast=0.3,brightness=0.1 \
		--log $(@D)/level2.tsv $(@D)/patches.tns -o $(@D)/level2.tns
	@$B/bin/predict --flip $(DEMO)/keypoints/model-1.tns --refine $(@D)/level2.tns $(DEMO)/keypoints/valid.tns -o $(@D)/valid-predicted.tns
	@$B/bin/render faces --count 12 $(@D)/valid-predicted.tns -o $(@D)/steps.png
	@$B/bin/score $(@D)/valid-predicted.tns -o $@

$(DEMO)/figures.txt: $(DEMO)/eyes/table.txt $(DEMO)/keypoints/submission.csv $(DEMO)/cascade/score.txt
	@echo "demo 5 of 5: score the test set against its solution"
	@$B/bin/csv-clean -q --keep-all $(DEMO)/solution.csv -o $(DEMO)/solution.tns
	@$B/bin/score --truth $(DEMO)/solution.tns $(DEMO)/keypoints/test-predicted.tns -o $(DEMO)/test-score.txt
	@{ echo "points on the test faces: $$(head -1 $(DEMO)/test-score.txt)"; echo; echo "a cascade on held-out faces:"; sed -n '/^level/,$$p' $(DEMO)/cascade/score.txt; \
	echo; cat $<; } >$@.tmp && mv $@.tmp $@
endif
