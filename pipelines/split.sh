#!/usr/bin/env bash
# Faces to train on, and faces held out; those of one person, or near-duplicates, stay together. PARTS are shares, or empty: 0.92,0.08, of fewer
# than 300 faces 0.8,0.2. So few may leave a part without any, as each person is drawn: then the next seed is tried, until each part has half of
# its share at least; and it is said what to expect. (How far RMSEs of h faces spread: 5 to 95%, 300 faces of other people, drawn at random.)
# usage: split.sh BIN PARTS GROUPS DATA TRAIN VALID
set -eu -o pipefail
bin=$1 parts=$2 groups=$3 data=$4 train=$5 valid=$6
few=300 tries=20
rows=$("$bin/tns-info" "$data" | awk '$1 == "image" { print $3 + 0 }')
if [ "$rows" -lt 2 ]; then
	echo "split.sh: $data: $rows faces are left, too few to train on some and hold out others" >&2
	exit 1
fi
[ -n "$parts" ] || { [ "$rows" -ge $few ] && parts=0.92,0.08 || parts=0.8,0.2; }
by=(--by near) && [ -z "$groups" ] || by=(--groups "$groups")
for ((seed = 1; seed <= tries; seed++)); do
	said=$("$bin/tns-split" -s "$seed" --parts "$parts" "${by[@]}" "$data" -o "$train" -o "$valid" 2>&1) || { echo "$said" >&2 && exit 1; }
	held=$(sed -n '$s/.*: \([0-9]*\) rows$/\1/p' <<<"$said")
	awk -v p="$parts" -v n="$rows" -v few=$few -v h="$held" \
		'BEGIN { split(p, q, ","); exit !(h && h < n && (n >= few || h >= q[2] * n / 2 && n - h >= q[1] * n / 2)) }' && break
done
if [ "$seed" -gt $tries ]; then
	rm -f "$train" "$valid"
	echo "split.sh: $data: $rows faces can't be parted $parts: they show too few people${groups:+ ($groups)}" >&2
	exit 1
fi
echo "$said" >&2
[ "$rows" -ge $few ] || awk -v n=$((rows - held)) -v h="$held" 'BEGIN {
	printf "few faces: %d to train on; the score of %d held out is rough (of others it may be %.0f%% higher or lower)\n", n, h, 90 / sqrt(h)
	print "few faces: more faces gain most, EPOCHS=300 AGAIN=1 some; what to expect: pipelines/README.md, \"Small sets\""}' >&2
