# Sourced by scripts that try every program: small inputs in in/, and runs, a line for each: how many files get their names, and a command that
# writes into out/. A program of BIN that is in no line is a failure.
inputs() {
	mkdir in out in/photos
	face-synth -q -n 40 --size 32x32 --dirt --test in/test.csv --test-count 9 --test-lookup in/lookup.csv -o in/training.csv
	csv-clean -q --keep-all -o in/faces.tns in/training.csv 2>/dev/null
	csv-clean -q -o in/test.tns in/test.csv
	patch-extract -q --around nose_tip --size 8x8 -o in/patches.tns in/faces.tns
	echo 'pool4 fc' >in/net.txt
	cnn-train -q -n 'pool4 fc' -e 40 -r 0.1 -o in/model.tns in/faces.tns 2>/dev/null
	predict -q -o in/answers.tns in/model.tns in/test.tns
	predict -q -o in/predicted.tns in/model.tns in/faces.tns
	dae-pretrain -q -H 5 -e 1 -o in/dae.tns in/patches.tns 2>/dev/null
	printf 'P5 4 3 255 abcdefghijkl' >in/photos/a.pgm
	window-extract -q --size 16x16 -o in/windows.tns in/faces.tns
	cnn-train -q --target label -n fc -e 1 -o in/finder.tns in/windows.tns 2>/dev/null
	tns-convert -q -o in/faces.npz in/faces.tns
	render tiles -q --format png -o in/photos/b.png in/dae.tns
	echo '{"images":[{"id":1,"file_name":"a.pgm","width":4,"height":3}],"annotations":[{"id":1,"image_id":1,"keypoints":[1,1,2],"num_keypoints":1,"bbox":[0,0,4,3],"category_id":1}],"categories":[{"id":1,"name":"face","keypoints":["nose_tip"]}]}' >in/coco.json
	echo '<dataset><images><image file="a.pgm"><box top="0" left="0" width="4" height="3"><part name="nose_tip" x="1" y="1"/></box></image></images></dataset>' >in/imglab.xml
	echo 'conv3x3x4p1 relu conv3x3x15p1' >in/conv.txt
	gzip -k in/training.csv
	tns-select -q --rows 1-5 -o in/five.tns in/faces.tns
	tns-convert -q --to safetensors -o in/five.safetensors in/five.tns
	tns-table -q -o in/table.csv in/five.tns
}
runs="
4 face-synth -q -n 9 --size 32x32 --planted out/truth.csv --test out/test.csv --test-count 3 --test-lookup out/lookup.csv -o out/x.csv
2 csv-clean -q --keep-all --report out/report.tsv -o out/x.tns in/training.csv
1 patch-extract -q --around nose_tip --size 8x8 -o out/x.tns in/faces.tns
2 tns-split -q -o out/a.tns -o out/b.tns in/faces.tns
5 dae-pretrain -q -H 5 -e 2 --snapshot 1,2 --fresh --checkpoint out/c.tns -o out/x.tns in/patches.tns
4 rbm-pretrain -q -H 5 -e 2 --snapshot 2 --fresh --checkpoint out/c.tns --log out/log.tsv -o out/x.tns in/patches.tns
1 pca-fit -q -k 3 -o out/x.tns in/patches.tns
3 cnn-train -q -n @in/net.txt -e 1 -r 0.001 --fresh --checkpoint out/c.tns --suspects out/s.tsv --log out/log.tsv -o out/x.tns in/faces.tns
1 predict -q -o out/x.tns in/model.tns in/faces.tns
1 score -o out/x.txt in/predicted.tns
1 submit -q --lookup in/lookup.csv -o out/x.csv in/answers.tns
1 render faces -q --count 1 --format png -o out/x.png in/predicted.tns
1 render faces -q --count 1 --format svg -o out/x.svg in/predicted.tns
1 render faces -q --count 1 --format pdf -o out/x.pdf in/predicted.tns
1 tns-info -o out/x.txt in/faces.tns
1 tns-select -q --rows 1-5 -o out/x.tns in/faces.tns
1 image-augment -q --shift 2,1 -o out/x.tns in/faces.tns
1 tns-cat -q -o out/x.tns in/faces.tns in/faces.tns
1 tns-join -q -o out/x.tns in/faces.tns in/faces.tns
1 tns-table -q -o out/x.csv in/faces.tns
1 tns-table -q --read -o out/x.tns in/table.csv
1 model-export -q -o out/x.onnx in/model.tns
1 tns-import -q --form folder -o out/x.tns in/photos
1 tns-import -q --form coco --images in/photos -o out/x.tns in/coco.json
1 tns-import -q --form imglab --images in/photos -o out/x.tns in/imglab.xml
1 window-extract -q --size 16x16 -o out/x.tns in/faces.tns
1 face-find -q -o out/x.tns in/finder.tns in/photos
1 tns-export -q --form csv -o out/x.csv in/predicted.tns
1 tns-convert -q -o out/x.npz in/faces.tns
1 tns-convert -q -o out/x.tns in/faces.npz
1 tns-convert -q -o out/x.tns in/five.safetensors
1 image-augment -q --jpeg 50 -o out/x.tns in/five.tns
"
# more of them, for long forms: other ways through the same programs
more="
1 tns-export -q --form coco -o out/x.json in/predicted.tns
1 tns-export -q --form imglab -o out/x.xml in/predicted.tns
1 tns-export -q --form jsonl -o out/x.jsonl in/predicted.tns
1 tns-convert -q --to safetensors -o out/x.safetensors in/predicted.tns
1 model-export -q --form safetensors -o out/x.safetensors in/model.tns
1 render tiles -q --format svg -o out/x.svg in/dae.tns
1 cnn-train -q -n @in/net.txt --augment default -e 1 -r 0.001 --init in/model.tns --valid in/five.tns -o out/x.tns in/faces.tns
1 cnn-train -q -n @in/conv.txt --target heatmap -e 1 -r 0.001 --keep best --valid in/five.tns -o out/x.tns in/faces.tns
1 tns-cat -q --source -o out/x.tns in/faces.tns in/five.tns
2 tns-split -q --by near -o out/a.tns -o out/b.tns in/faces.tns
1 tns-table -q --image -o out/x.csv in/faces.tns
1 score --json -o out/x.json in/predicted.tns
1 score -o out/x.txt --truth in/faces.tns in/predicted.tns
1 tns-info --json --head 3 -o out/x.json in/predicted.tns
1 tns-select -q --where labels>3 --sort -error -o out/x.tns in/predicted.tns
1 tns-select -q --sample 9 --points *eye* -o out/x.tns in/faces.tns
1 image-augment -q --rotate 9 --noise 5 -o out/x.tns in/faces.tns
1 csv-clean -q --keep-all -o out/x.tns in/training.csv.gz
"
all_tried() { # every program is in runs
	local p
	for p in "$BIN"/*; do
		p=${p##*/}
		grep -q "^[0-9]* $p " <<<"$runs" || [ "$p" = bench ] || bad "$p is not tried here (tests/runs.sh)"
	done
}
