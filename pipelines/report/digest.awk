# What the report needs of streams, a line each, from lines by json.awk with two fields before: path below the run's folder, bytes of the file.
# path, data|model, rows or parameters, fingerprint, bytes, WxH of images, tensors (name,name), points, METAs of rows, history
BEGIN { FS = OFS = "\t" }
FNR == 1 || $1 != path { finish(); path = $1; size = $2; kind = "data"; n = fingerprint = shape = names = points = meta = history = "" }
$3 == "tensors" && $5 == "name" { tensor = $6; names = names (names == "" ? "" : ",") tensor }
$3 == "tensors" && $5 == "shape" && tensor == "image" && $6 == 2 { shape = $7 }
$3 == "tensors" && $5 == "shape" && tensor == "image" && $6 == 3 { shape = $7 "x" shape }
$3 == "tensors" && $5 == "shape" && $6 == 1 && $4 == 1 { n = $7 }
$3 == "meta" && $4 == "points" { points = $5 }
$3 == "meta" && $4 == "history" { history = $5 }
$3 == "meta" && $4 ~ /^(rows|labels)\./ && $5 + 0 > 0 { meta = meta (meta == "" ? "" : ", ") $4 " " $5 }
$3 == "meta" && $4 == "net" { kind = "model" }
$3 == "parameters" { n = $4 }
$3 == "fingerprint" { fingerprint = $4 }
END { finish() }
function finish() { if (path != "" && fingerprint != "") print path, kind, n, fingerprint, size, shape, names, points, meta, history; path = "" }
