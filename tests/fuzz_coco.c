/* libFuzzer target of COCO files. A fault of the file or of a face must have its reason, a face a name and whole points; reading twice
 * gives the same. With FUZZ_SEEDS=DIR it writes seeds there and exits. */
#include "lib/import/coco.h"

#define FUZZ_FORM coco
#define FUZZ_BLANKS 1
#define FUZZ_BROKEN COCO_BROKEN
static const char *const fuzz_seeds[] = {
	"{\"images\":[{\"id\":1,\"file_name\":\"a/"
	"b.jpg\",\"width\":64,\"height\":48},{\"id\":2,\"file_name\":\"c\"}],\"annotations\":[{\"id\":9,"
	"\"image_id\":1,\"category_id\":1,\"iscrowd\":0,\"num_keypoints\":2,\"bbox\":[1,2,3,4.5],\"keypoints\":[1,2,2,3,4,1]}],"
	"\"categories\":[{\"id\":1,\"name\":\"face\",\"keypoints\":[\"l\",\"r\"],\"skeleton\":[[1,2]]}]}",
	"\xef\xbb\xbf{\"annotations\":[{\"keypoints\":[NaN,-Infinity,0.5],\"image_id\":\"i\",\"id\":\"x\",\"category_id\":7.0,"
	"\"segmentation\":{\"counts\":[1]}},{\"iscrowd\":true,\"bbox\":null}],\"categories\":[{\"keypoints\":[\"p\"],\"id\":7},{\"id\":8}],"
	"\"images\":[{\"id\":\"i\",\"file_name\":\"..\\\\x\"},{\"id\":\"i\",\"file_name\":\"../x\"}]}",
	"[{\"image_id\":1}]", "{\"images\":[],\"categories\":[{\"id\":1e3,\"keypoints\":[\"a\",1]}],\"annotations\":[{}]} "};

#include "tests/fuzz_faces.h"
