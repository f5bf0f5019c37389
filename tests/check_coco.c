/* COCO files as they come: keys and lists in any order, ids of all kinds, what Python writes that is no JSON, scores, crowds, categories;
 * and each fault by its words. */
#include <sys/resource.h>
#include <sys/stat.h>
#include <zlib.h>

#include "tests/import.h"

#define NONE ((struct annotation_options){0})
#define CATEGORIES "\"categories\":[{\"id\":1,\"name\":\"face\",\"keypoints\":[\"a\",\"b\"],\"skeleton\":[[1,2]]}]"
#define IMAGES "\"images\":[{\"id\":7,\"file_name\":\"x/y.jpg\",\"width\":64,\"height\":48}]"
#define POINTS "\"keypoints\":[1,2,2,3,4,1]"
/* a file with these annotations */
#define FILE_OF(annotations) "{" IMAGES "," CATEGORIES ",\"annotations\":[" annotations "]}"

START_TEST(plain)
{
	import_open("dir.json",
		"\xef\xbb\xbf{ \"info\": {\"images\": [1, {\"id\": {}}], \"year\": 2017},\n" IMAGES ",\n\"annotations\": [\n"
		"{\"id\": 993, \"image_id\": 7, \"category_id\": 1, \"iscrowd\": 0, \"num_keypoints\": 2, \"area\": 12.5,"
		" \"segmentation\": [[1,2,3]], \"bbox\": [0.5, -1.25, 10, 20.75], \"keypoints\": [10.5,-20.25,2, 0,63,1]},\n"
		"{\"image_id\":7,\"keypoints\":[5,6,0,1e1,2E-1,2],\"category_id\":1,\"id\":994}\n],\n" CATEGORIES " }\n",
		NONE);
	ck_assert_int_eq(import_all.K, 2);
	ck_assert_str_eq(import_all.names[0], "a");
	ck_assert_str_eq(import_all.names[1], "b");
	ck_assert_int_eq(import_all.longest, 7);
	ck_assert_int_eq(import_all.has_image_id, 1);
	ck_assert_int_eq(import_all.has_confidence, 0);
	import_is("x/y.jpg", "annotation 993", 1, (const double[]){10.5, -20.25, 0, 63});
	import_box(0.5, -1.25, 10, 20.75);
	ck_assert_str_eq(import_face.path, "x/y.jpg");
	ck_assert_int_eq(import_face.W, 64);
	ck_assert_int_eq(import_face.H, 48);
	ck_assert_int_eq(import_face.id, 993);
	ck_assert_int_eq(import_face.image_id, 7);
	ck_assert_ptr_null(import_face.confidence);
	/* what is not visible is missing, whatever its numbers */
	import_is("x/y.jpg", "annotation 994", 1, (const double[]){NAN, NAN, 10, 0.2});
	ck_assert_int_eq(import_face.has_box, 0);
	import_ends();
	import_close();
}
END_TEST

/* Annotations, then images, then categories; in each the id last. */
START_TEST(backwards)
{
	import_open("b.json",
		"{\"annotations\":[{" POINTS ",\"bbox\":[1,2,3,4],\"category_id\":1,\"image_id\":7,\"id\":1},"
		"{\"category_id\":1,\"image_id\":8,\"id\":2," POINTS "}],"
		"\"images\":[{\"file_name\":\"a\",\"id\":7},{\"height\":1.0,\"width\":2,\"file_name\":\"b\",\"id\":8}],"
		"\"categories\":[{\"skeleton\":[],\"keypoints\":[\"a\",\"b\"],\"name\":\"face\",\"id\":1}]}",
		NONE);
	import_is("a", "annotation 1", 1, (const double[]){1, 2, 3, 4});
	ck_assert_int_eq(import_face.W, 0);
	import_is("b", "annotation 2", 1, (const double[]){1, 2, 3, 4});
	ck_assert_int_eq(import_face.W, 2);
	ck_assert_int_eq(import_face.H, 1);
	import_ends();
	import_close();
}
END_TEST

START_TEST(ids)
{
	import_open("i.json",
		"{\"images\":[{\"id\":9007199254740993,\"file_name\":\"big\"},{\"id\":\"img-1\",\"file_name\":\"text\"},{\"id\":-5,\"file_"
		"name\":\"minus\"},"
		"{\"id\":18446744073709551616,\"file_name\":\"huge\"},{\"id\":3,\"file_name\":\"three\"},{\"id\":\"03\",\"file_name\":"
		"\"0three\"}],"
		"\"categories\":[{\"id\":\"f\",\"name\":\"face\",\"keypoints\":[\"a\",\"b\"]}],\"annotations\":["
		"{\"id\":4294967297,\"image_id\":9007199254740993,\"category_id\":\"f\"," POINTS "},"
		"{\"id\":\"u-\\u00e9\",\"image_id\":\"img-1\",\"category_id\":\"f\"," POINTS "},"
		"{\"image_id\":-5,\"category_id\":\"f\"," POINTS "},"
		"{\"id\":4,\"image_id\":18446744073709551616,\"category_id\":\"f\"," POINTS "},"
		"{\"id\":5,\"image_id\":\"3\",\"category_id\":\"f\"," POINTS "},"
		"{\"id\":6,\"image_id\":3.0,\"category_id\":\"f\"," POINTS "},"
		"{\"id\":7,\"image_id\":\"03\",\"category_id\":\"f\"," POINTS "},"
		"{\"id\":8,\"image_id\":9007199254740992,\"category_id\":\"f\"," POINTS "},"
		"{\"id\":9,\"image_id\":1e30,\"category_id\":\"f\"," POINTS "}]}",
		NONE);
	static const double points[] = {1, 2, 3, 4};
	import_is("big", "annotation 4294967297", 1, points);
	ck_assert(import_face.id == 4294967297 && import_face.image_id == 9007199254740993);
	import_is("text", "annotation 'u-\xc3\xa9'", 1, points);
	ck_assert(import_face.id == -1 && import_face.image_id == -1);
	import_is("minus", "element 3 of annotations", 1, points);
	ck_assert(import_face.id == -1 && import_face.image_id == -5);
	import_is("huge", "annotation 4", 1, points);
	import_is("three", "annotation 5", 1, points);
	import_is("three", "annotation 6", 1, points);
	import_is("0three", "annotation 7", 1, points);
	import_bad("i.json: annotation 8: image_id is 9007199254740992, which no image has");
	import_bad("i.json: annotation 9: image_id is '1e30', which no image has");
	import_ends();
	import_close();
}
END_TEST

/* Ids are an annotation's own where those of the category that is read are fit for rows; crowds and other categories don't count. */
START_TEST(own_ids)
{
	static const char start[] =
		"{\"images\":[{\"id\":1,\"file_name\":\"one\"}],\"annotations\":["
		"{\"id\":900100581904,\"image_id\":1,\"category_id\":1,\"iscrowd\":1},{\"id\":72,\"image_id\":1,\"category_id\":2},"
		"{\"id\":72,\"image_id\":1,\"category_id\":2},{\"image_id\":1,\"category_id\":\"text\"},"
		"{\"id\":4294967295,\"image_id\":1,\"category_id\":1}",
			  end[] = "],\"categories\":[{\"id\":1,\"name\":\"face\",\"keypoints\":[\"a\",\"b\"]},{\"id\":2,\"name\":"
				  "\"cat\"},{\"id\":\"text\",\"name\":\"dog\"}]}";
	static const struct {
		const char *more, *why;
	} cases[] = {
		{"", NULL},
		{",{\"id\":0,\"image_id\":1,\"category_id\":1.0}", NULL},
		{",{\"id\":4294967296,\"image_id\":1,\"category_id\":1}", "annotation 4294967296 is not from 0 to 4294967295"},
		{",{\"id\":-1,\"image_id\":1,\"category_id\":\"1\"}", "annotation -1 is not from 0 to 4294967295"},
		{",{\"id\":\"x\",\"image_id\":1,\"category_id\":1}", "element 6 of annotations has no id that is a whole number"},
		{",{\"id\":8,\"image_id\":1,\"category_id\":1},{\"category_id\":1,\"image_id\":1,\"id\":8}",
			"two annotations have the id 8"},
	};
	char json[2048];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(json, sizeof json, "%s%s%s", start, cases[i].more, end);
		import_open("o.json", json, NONE);
		ck_assert_int_eq(import_all.has_id, cases[i].why == NULL);
		ck_assert_msg(!cases[i].why == !import_all.renumbered, "%s", import_all.renumbered);
		if (cases[i].why)
			ck_assert_str_eq(import_all.renumbered, cases[i].why);
		ck_assert_ptr_null(import_all.nameless);
		import_is("one", "annotation 4294967295", 0, NULL);
		import_close();
	}
	import_open_call(&(struct import_call){"o.json", {.unlabelled = 1}});
	ck_assert_str_eq(import_all.renumbered, "images without annotations have none (--unlabelled)");
	import_close();
	import_open(
		"o.json", "{\"images\":[{\"id\":1,\"file_name\":\"one\"},{\"id\":\"017\",\"file_name\":\"two\"}]," CATEGORIES "}", NONE);
	ck_assert_str_eq(import_all.nameless, "'017'");
	import_close();
}
END_TEST

/* Python's NaN and Infinity, as values alone. */
START_TEST(not_a_number)
{
	import_open("n.json",
		FILE_OF("{\"id\":1,\"score\":NaN,\"image_id\":7,\"category_id\":1,\"keypoints\":[NaN,NaN,2,1,2,2],\"bbox\":[NaN,NaN,NaN,"
			"NaN]},"
			"{\"id\":2,\"image_id\":7,\"category_id\":1,\"keypoints\":[Infinity,-Infinity,1,1,2,2],\"area\":-NaN},"
			"{\"id\":3,\"note\":\"NaN, -Infinity \\\" NaN } "
			"{\\\\\",\"image_id\":7,\"category_id\":1,\"keypoints\":[1,-2,2,null,null,NaN]},"
			"{\"id\":4,\"image_id\":7,\"category_id\":1,\"keypoints\":[NaN,1,2,1,2,2]},"
			"{\"id\":5,\"image_id\":7,\"category_id\":1,\"keypoints\":[1,Infinity,2,1,2,2]},"
			"{\"id\":6,\"image_id\":7,\"category_id\":1,\"keypoints\":[1,1,2,1,2,NaN]},"
			"{\"id\":7,\"image_id\":7,\"category_id\":1,\"bbox\":[1,2,NaN,4]}"),
		NONE);
	import_is("x/y.jpg", "annotation 1", 1, (const double[]){NAN, NAN, 1, 2});
	ck_assert_int_eq(import_face.has_box, 0);
	import_is("x/y.jpg", "annotation 2", 1, (const double[]){NAN, NAN, 1, 2});
	import_is("x/y.jpg", "annotation 3", 1, (const double[]){1, -2, NAN, NAN});
	import_bad("n.json: annotation 4: point a has no x");
	import_bad("n.json: annotation 5: point a has no y");
	import_bad("n.json: annotation 6: point b has no visibility");
	import_bad("n.json: annotation 7: bbox has no width");
	import_ends();
	import_close();
	import_refused("{\"x\":[NaNs]}", "bad: line 1, byte 10: not JSON: lexical error: invalid char in json text.");
	import_refused("{\"x\":[Inf]}", "bad: line 1, byte 7: not JSON: lexical error: invalid char in json text.");
	import_refused("{\"x\":[1NaN]}", "bad: line 1, byte 8: not JSON: parse error: after array element, I expect ',' or ']'");
	import_refused(
		"{\"x\":[-", "bad: line 1, byte 7: not JSON: lexical error: malformed number, a digit is required after the minus sign.");
	import_refused("{\"x\":[N", "bad: line 1, byte 7: not JSON: lexical error: invalid char in json text.");
}
END_TEST

/* Words, braces and strings wherever pieces of the file end: buffers are 64 KiB. */
START_TEST(pieces)
{
	static char text[70000];
	for (int shift = 0; shift < 40; shift++) {
		int n = sprintf(text, "{%s,%s,\"annotations\":[{\"id\":1,\"note\":\"", IMAGES, CATEGORIES), fill = 65500 + shift - n;
		memset(text + n, 'n', (size_t)fill);
		sprintf(text + n + fill, "\\\"}\",\"image_id\":7,\"category_id\":1,\"keypoints\":[-Infinity,NaN,1,-3.25,2,1]}]}");
		import_open("p.json", text, NONE);
		import_is("x/y.jpg", "annotation 1", 1, (const double[]){NAN, NAN, -3.25, 2});
		import_ends();
		import_close();
	}
}
END_TEST

START_TEST(crowds)
{
	static const double points[] = {1, 2, 3, 4};
	import_open("c.json",
		"{\"images\":[{\"id\":1,\"file_name\":\"one\"},{\"id\":2,\"file_name\":\"none\"},{\"id\":3,\"file_name\":\"crowd\"},{"
		"\"id\":4,\"file_name\":\"cat\"}],"
		"\"categories\":[{\"id\":1,\"name\":\"face\",\"keypoints\":[\"a\",\"b\"]},{\"id\":2,\"name\":\"cat\"}],\"annotations\":["
		"{\"id\":1,\"image_id\":1,\"category_id\":1,\"iscrowd\":1,\"segmentation\":{\"counts\":[1,2],\"size\":[3,4]},\"keypoints\":"
		"[]},"
		"{\"id\":2,\"image_id\":1,\"category_id\":1,\"iscrowd\":0," POINTS "},"
		"{\"id\":3,\"image_id\":4,\"category_id\":2,\"keypoints\":\"?\"},"
		"{\"id\":4,\"image_id\":1,\"category_id\":1,\"iscrowd\":false," POINTS "},"
		"{\"id\":5,\"image_id\":3,\"category_id\":1,\"iscrowd\":true},"
		"{\"id\":6,\"image_id\":1,\"category_id\":1,\"num_keypoints\":0,\"keypoints\":[1,1,2,1,1,2]},"
		"{\"id\":7,\"image_id\":1,\"category_id\":1,\"bbox\":[0,0,0,0]},"
		"{\"id\":8,\"image_id\":1,\"category_id\":1,\"keypoints\":[],\"bbox\":[]},"
		"{\"id\":9,\"image_id\":1,\"category_id\":1,\"keypoints\":[0,0,0,0,0,0],\"bbox\":[1,2,3,4]},"
		"{\"id\":10,\"image_id\":1,\"category_id\":1,\"num_keypoints\":0,\"keypoints\":[0,0,0]}]}",
		NONE);
	import_is("one", "annotation 2", 1, points);
	ck_assert_int_eq(import_all.crowd, 1);
	import_is("one", "annotation 4", 1, points);
	ck_assert_int_eq(import_all.miscounted, 0);
	import_is("one", "annotation 6", 1, (const double[]){1, 1, 1, 1}); /* keypoints is believed, not num_keypoints */
	ck_assert_int_eq(import_all.miscounted, 1);
	import_is("one", "annotation 7", 0, NULL);
	ck_assert_int_eq(import_face.has_box, 0);
	import_is("one", "annotation 8", 0, NULL);
	import_is("one", "annotation 9", 0, NULL);
	import_box(1, 2, 3, 4);
	import_is("one", "annotation 10", 0, NULL);
	import_ends();
	ck_assert_int_eq(import_all.miscounted, 1);
	ck_assert_int_eq(import_all.crowd, 2);
	ck_assert_int_eq(import_all.unlabelled, 2);
	import_close();
	import_open_call(&(struct import_call){"c.json", {.unlabelled = 1}});
	for (int i = 0; i < 7; i++)
		ck_assert_int_eq(import_next(), 1);
	import_is("none", "image 2", 0, NULL);
	ck_assert(import_face.id == -1 && import_face.image_id == 2);
	import_is("cat", "image 4", 0, NULL);
	import_ends();
	ck_assert_int_eq(import_all.unlabelled, 0);
	import_close();
}
END_TEST

/* Of detections the third number is a score. */
START_TEST(scores)
{
	import_open("s.json",
		FILE_OF("{\"id\":1,\"image_id\":7,\"category_id\":1,\"keypoints\":[1,2,0.75,3,4,1]},"
			"{\"id\":2,\"image_id\":7,\"category_id\":1,\"keypoints\":[1,2,0,3,4,-0.5]},"
			"{\"id\":3,\"image_id\":7,\"category_id\":1,\"keypoints\":[1,2,1,3,4,1.0]},"
			"{\"id\":4,\"image_id\":7,\"category_id\":1,\"keypoints\":[1,2,2,3,4,1]},"
			"{\"id\":5,\"image_id\":7,\"category_id\":1,\"keypoints\":[NaN,NaN,0.5,3,4,NaN]},"
			"{\"id\":6,\"image_id\":7,\"category_id\":1}"),
		NONE);
	ck_assert_int_eq(import_all.has_confidence, 1);
	import_is("x/y.jpg", "annotation 1", 1, (const double[]){1, 2, 3, 4});
	ck_assert(import_face.confidence[0] == 0.75 && import_face.confidence[1] == 1);
	import_is("x/y.jpg", "annotation 2", 1, (const double[]){NAN, NAN, 3, 4});
	ck_assert(import_face.confidence[0] == 0 && import_face.confidence[1] == -0.5);
	import_is("x/y.jpg", "annotation 3", 1, (const double[]){1, 2, 3, 4});
	ck_assert(import_face.confidence[0] == 1 && import_face.confidence[1] == 1);
	/* a 2 among them: labels, not scores */
	import_is("x/y.jpg", "annotation 4", 1, (const double[]){1, 2, 3, 4});
	ck_assert(isnan(import_face.confidence[0]) && isnan(import_face.confidence[1]));
	import_is("x/y.jpg", "annotation 5", 1, (const double[]){NAN, NAN, 3, 4});
	ck_assert(import_face.confidence[0] == 0.5 && isnan(import_face.confidence[1]));
	import_is("x/y.jpg", "annotation 6", 0, NULL);
	ck_assert(isnan(import_face.confidence[0]) && isnan(import_face.confidence[1]));
	import_ends();
	import_close();
	/* 2.0 and 1.000 are no scores, and neither are numbers of a box or fractions of x */
	import_open("s.json",
		FILE_OF("{\"id\":1,\"image_id\":7,\"category_id\":1,\"keypoints\":[1.5,2.5,2.0,3.5,4.5,1.000],\"bbox\":[1.5,2.5,3.5,4.5]}"),
		NONE);
	ck_assert_int_eq(import_all.has_confidence, 0);
	import_is("x/y.jpg", "annotation 1", 1, (const double[]){1.5, 2.5, 3.5, 4.5});
	import_close();
}
END_TEST

START_TEST(categories)
{
	static const char two[] =
		"{\"images\":[{\"id\":1,\"file_name\":\"one\"}],\"categories\":[{\"id\":1,\"name\":\"face\",\"keypoints\":[\"a\",\"b\"]},"
		"{\"id\":2,\"name\":\"cat\",\"keypoints\":[]},{\"id\":3,\"name\":\"hand\",\"keypoints\":[\"a\",\"b\",\"c\"]}],"
		"\"annotations\":[{\"id\":1,\"image_id\":1,\"category_id\":1," POINTS "},{\"id\":2,\"image_id\":1,\"category_id\":3,"
		"\"keypoints\":[1,2,1,3,4,1,5,6,1]}]}";
	import_open("two.json", two, (struct annotation_options){.category = "hand"});
	ck_assert_int_eq(import_all.K, 3);
	import_is("one", "annotation 2", 1, (const double[]){1, 2, 3, 4, 5, 6});
	import_ends();
	import_close();
	import_dies("two.json", NONE, "two.json: several categories have keypoints: --category must name one of 'face', 'hand'");
	import_dies("two.json", (struct annotation_options){.category = "cat"},
		"two.json: there are no keypoints in the category 'cat'; those with keypoints: 'face', 'hand'");
	import_dies("two.json", (struct annotation_options){.category = "Face"},
		"two.json: there is no category 'Face'; those with keypoints: 'face', 'hand'");
	/* no category has keypoints: boxes */
	static const char boxes[] =
		"{\"images\":[{\"id\":7,\"file_name\":\"y.jpg\"}],\"categories\":[{\"id\":1,\"name\":\"x\"},{\"id\":2,\"name\":"
		"\"z\"}],\"annotations\":[{\"id\":1,\"image_id\":7,\"category_id\":1,\"bbox\":[1,2,3,4]},"
		"{\"id\":2,\"image_id\":7,\"category_id\":2,\"bbox\":[5,6,7.5,8]}]}";
	import_open("boxes.json", boxes, (struct annotation_options){.category = "z"});
	ck_assert_int_eq(import_all.K, 0);
	import_is("y.jpg", "annotation 2", 0, NULL);
	ck_assert_int_eq(import_face.has_box, 1);
	ck_assert_double_eq(import_face.box[2], 7.5);
	import_ends();
	import_close();
	import_dies(
		"boxes.json", NONE, "boxes.json: none of 2 categories has keypoints: --category must name the one whose boxes are read");
	import_dies("boxes.json", (struct annotation_options){.category = "y"}, "boxes.json: there is no category 'y'");
	import_open("one.json",
		"{\"images\":[{\"id\":7,\"file_name\":\"y.jpg\"}],\"categories\":[{\"id\":1,\"name\":\"x\"}],\"annotations\":[{\"id\":1,"
		"\"image_id\":7,"
		"\"bbox\":[1,2,3,4]},{\"id\":2,\"image_id\":7,\"bbox\":[1,2,3,4],\"keypoints\":[1,2,2]}]}",
		NONE);
	import_is("y.jpg", "annotation 1", 0, NULL);
	ck_assert_int_eq(import_next(), -1);
	import_close();
	import_refused("{\"images\":[],\"categories\":[]}", "bad: there are no categories");
	import_refused("{\"images\":[],\"categories\":[{\"id\":1,\"name\":\"x\",\"keypoints\":[\"a\",\"b\",\"a\"]}]}",
		"bad: two keypoints of the category 'x' are called 'a'");
	import_refused("{\"images\":[],\"categories\":[{\"id\":1,\"name\":\"x\",\"keypoints\":[\"a\",null]}]}",
		"bad: categories: element 1: keypoints is null, not a name");
	import_refused("{\"images\":[],\"categories\":[{\"id\":1,\"name\":\"x\"},{\"id\":1,\"name\":\"y\",\"keypoints\":[\"a\"]}]}",
		"bad: categories: two have the id 1");
	/* no category_id where there is one category */
	import_open("one.json", FILE_OF("{\"id\":1,\"image_id\":7," POINTS "}"), NONE);
	import_is("x/y.jpg", "annotation 1", 1, (const double[]){1, 2, 3, 4});
	import_close();
}
END_TEST

START_TEST(bad_faces)
{
	static const struct {
		const char *annotation, *says;
	} cases[] = {
		{"\"category_id\":1," POINTS, "there is no image_id"},
		{"\"category_id\":1,\"image_id\":null," POINTS, "there is no image_id"},
		{"\"category_id\":1,\"image_id\":8," POINTS, "image_id is 8, which no image has"},
		{"\"category_id\":1,\"image_id\":\"seven\"," POINTS, "image_id is 'seven', which no image has"},
		{"\"category_id\":1,\"image_id\":[7]," POINTS, "image_id is [...], not an id (a number or a text)"},
		{"\"category_id\":2,\"image_id\":7," POINTS, "category_id is 2, which no category has"},
		{"\"category_id\":true,\"image_id\":7," POINTS, "category_id is true, not an id (a number or a text)"},
		{"\"category_id\":1,\"image_id\":7,\"iscrowd\":2", "iscrowd is 2, not 0 or 1"},
		{"\"category_id\":1,\"image_id\":7,\"iscrowd\":\"no\"", "iscrowd is 'no', not 0 or 1"},
		{"\"category_id\":1,\"image_id\":7,\"num_keypoints\":1.5", "num_keypoints is 1.5, not a whole number"},
		{"\"category_id\":1,\"image_id\":7,\"num_keypoints\":-1", "num_keypoints is -1, not a whole number"},
		{"\"category_id\":1,\"image_id\":7,\"num_keypoints\":0,\"keypoints\":[1,2,2]",
			"keypoints has 3 numbers, not 3 for each of 2 points"},
		{"\"category_id\":1,\"image_id\":7,\"keypoints\":[1,2,2,3,4]", "keypoints has 5 numbers, not 3 for each of 2 points"},
		{"\"category_id\":1,\"image_id\":7,\"keypoints\":[1,2,2,3,4,2,1,2,2]",
			"keypoints has 9 numbers, not 3 for each of 2 points"},
		{"\"category_id\":1,\"image_id\":7,\"keypoints\":[1,2,2,3,\"4\",2]", "keypoints: number 5 is '4', not a number"},
		{"\"category_id\":1,\"image_id\":7,\"keypoints\":[1,2,2,1e999,4,2]", "keypoints: number 4 is 1e999, not a number"},
		{"\"category_id\":1,\"image_id\":7,\"keypoints\":[[1,2,2],[3,4,2]]", "keypoints: number 1 is [...], not a number"},
		{"\"category_id\":1,\"image_id\":7,\"keypoints\":{\"a\":[1,2,2]}", "keypoints is {...}, not a list"},
		{"\"category_id\":1,\"image_id\":7,\"keypoints\":7", "keypoints is 7, not a list"},
		{"\"category_id\":1,\"image_id\":7,\"keypoints\":[1,2,3,3,4,2]", "point a: its visibility is 3, not 0, 1 or 2"},
		{"\"category_id\":1,\"image_id\":7,\"bbox\":[1,2,3]", "bbox has 3 numbers, not 4"},
		{"\"category_id\":1,\"image_id\":7,\"bbox\":[1,2,3,4,5]", "bbox has 5 numbers, not 4"},
		{"\"category_id\":1,\"image_id\":7,\"bbox\":[1,2,-3,4]", "bbox: width is -3, not above 0"},
		{"\"category_id\":1,\"image_id\":7,\"bbox\":[1,2,3,0]", "bbox: height is 0, not above 0"},
		{"\"category_id\":1,\"image_id\":7,\"bbox\":[1,2,false,0]", "bbox: number 3 is false, not a number"},
	};
	char text[4096], says[512];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(text, sizeof text, FILE_OF("{%s,\"id\":1},{\"id\":2,\"image_id\":7,\"category_id\":1," POINTS "}"),
			cases[i].annotation);
		snprintf(says, sizeof says, "f.json: annotation 1: %s", cases[i].says);
		import_open("f.json", text, NONE);
		import_bad(says);
		import_is("x/y.jpg", "annotation 2", 1, (const double[]){1, 2, 3, 4}); /* nothing is left of the bad one */
		ck_assert_int_eq(import_face.has_box, 0);
		import_ends();
		import_close();
	}
	/* of a key that stands twice the last counts, as in Python */
	import_open("f.json", FILE_OF("{\"id\":1,\"keypoints\":[9,9,2],\"image_id\":8,\"image_id\":7,\"category_id\":1," POINTS "}"), NONE);
	import_is("x/y.jpg", "annotation 1", 1, (const double[]){1, 2, 3, 4});
	import_close();
}
END_TEST

START_TEST(bad_files)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"", "line 1, byte 0: the JSON ends too early"},
		{"{\"images\":[\n{\"id\":1,}]}", "line 2, byte 21: not JSON: parse error: invalid object key (must be a string)"},
		{"{\"images\":[],\n\n\"x\":'y'}", "line 3, byte 20: not JSON: lexical error: invalid char in json text."},
		{"{\"images\":[]} x", "line 1, byte 15: not JSON: parse error: trailing garbage"},
		{"{\"images\":[]}\n{}", "line 2, byte 15: not JSON: parse error: trailing garbage"},
		{"{\"images\":[],\"x\":\"\xff\"}", "line 1, byte 19: not JSON: lexical error: invalid bytes in UTF8 string."},
		{FILE_OF("{\"id\":1"), "line 1, byte 167: not JSON: parse error: after key and value, inside map, I expect ',' or '}'"},
		{"[{\"image_id\":1,\"category_id\":1,\"keypoints\":[1,2,0.5],\"score\":0.5}]",
			"a list, as of results, which name no images: an object with the lists images, annotations and categories is "
			"needed"},
		{"17", "not an object with the lists images, annotations and categories"},
		{"{\"annotations\":[]}", "there is no list 'images', so it is not of COCO"},
		{"{\"images\":{\"a\":1}}", "images is {...}, not a list"},
		{"{\"images\":[],\"annotations\":3}", "annotations is 3, not a list"},
		{"{\"images\":[],\"images\":[]}", "there are two lists 'images'"},
		{"{\"images\":[{\"id\":1},[2]]}", "images: element 2 is [...], not an object"},
		{"{\"images\":[{\"id\":1,\"file_name\":\"a\"},{\"file_name\":\"b\"}]}", "images: element 2: it has no id"},
		{"{\"images\":[{\"id\":{},\"file_name\":\"a\"}]}", "images: element 1: id is {...}, not an id (a number or a text)"},
		{"{\"images\":[{\"id\":1,\"file_name\":2}]}", "images: element 1: file_name is 2, not a text"},
		{"{\"images\":[{\"id\":1,\"file_name\":\"a\\u0000b\"}]}", "images: element 1: file_name is 'a', not a text"},
		{"{\"images\":[{\"id\":1,\"width\":\"640\"}]}", "images: element 1: width is '640', not a whole number"},
		{"{\"images\":[{\"id\":1,\"height\":2.5}]}", "images: element 1: height is 2.5, not a whole number"},
		{"{\"images\":[{\"id\":1,\"height\":3000000000}]}", "images: element 1: height is 3000000000, not a whole number"},
		{"{\"images\":[{\"id\":5,\"file_name\":\"a\"},{\"id\":2,\"file_name\":\"b\"},{\"id\":\"5\",\"file_name\":\"c\"}]}",
			"images: two have the id 5"},
		{"{\"images\":[{\"id\":\"q\",\"file_name\":\"a\"},{\"id\":\"q\",\"file_name\":\"c\"}]}", "images: two have the id 'q'"},
		{"{\"categories\":[{\"name\":\"a\"}]}", "categories: element 1: it has no id"},
		{"<?xml version='1.0'?>", "this is XML, as --form imglab reads it"},
		{"\x89PNG\r\n\x1a\n", "this is a PNG picture, not JSON"},
		{"\xfd\x37zXZ", "line 1, byte 1: not JSON: lexical error: invalid char in json text."},
		{"BZh91AY&SY", "this is a bzip2 file, not JSON: bzip2 -dc bad >FILE"},
	};
	char says[512];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(says, sizeof says, "bad: %s", cases[i].says);
		import_refused(cases[i].text, says);
	}
	static char many[5 << 20];
	int n = sprintf(many, "{\"images\":[],\"categories\":[{\"id\":1,\"keypoints\":[\"0\"");
	for (int i = 1; i <= ANNOTATION_POINTS; i++)
		n += sprintf(many + n, ",\"%d\"", i);
	import_refused(many, "bad: categories: element 1: it has more than 4096 keypoints");
	memset(many, 'x', sizeof many - 1);
	memcpy(many, "{\"x\":\"", 6);
	import_refused(many, "bad: byte 6: a string of more than 4 MiB");
	memset(many, '9', sizeof many - 1);
	memcpy(many, "{\"x\":", 5);
	import_refused(many, "bad: byte 6: a number of more than 256 KiB");
	char deep[400] = "{\"x\":";
	memset(deep + 5, '[', 300);
	import_refused(deep, "bad: objects and lists are more than 128 deep");
	import_dies("none.json", NONE, "none.json: No such file or directory");
	import_dies(".", NONE, ".: it is a folder");
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	import_dies("fifo", NONE, "fifo: it is read twice, which a pipe or a device can't be: a file is needed");
	import_dies("/dev/null", NONE, "/dev/null: it is read twice, which a pipe or a device can't be: a file is needed");
}
END_TEST

/* Where images are looked for. */
START_TEST(paths)
{
	static const char text[] =
		"{\"images\":[{\"id\":1,\"file_name\":\"a b#%20\\u00e4.JPG\"},{\"id\":2,\"file_name\":\"sub\\\\..\\\\.\\\\x//y.png\"},"
		"{\"id\":3,\"file_name\":\"../out.png\"},{\"id\":4,\"file_name\":\"/etc/passwd\"},{\"id\":5,\"file_name\":\"\"},"
		"{\"id\":6,\"file_name\":\"x/../../img/z.png\"},{\"id\":7,\"width\":1,\"height\":1},{\"id\":8,\"file_name\":\"x/"
		"..\"}]," CATEGORIES "}";
	char here[4096], inside[5000];
	ck_assert_ptr_nonnull(getcwd(here, sizeof here));
	mkdir("json", 0700), mkdir("img", 0700);
	import_open("json/p.json", text, (struct annotation_options){.unlabelled = 1});
	import_is("a b#%20\xc3\xa4.JPG", "image 1", 0, NULL);
	ck_assert_str_eq(import_face.path, "json/a b#%20\xc3\xa4.JPG");
	import_is("sub/.././x//y.png", "image 2", 0, NULL);
	ck_assert_str_eq(import_face.path, "json/x/y.png");
	import_bad("json/p.json: image 3: its image '../out.png' lies outside of the file's folder (--images DIR: a folder that holds it)");
	import_bad(
		"json/p.json: image 4: its image '/etc/passwd' lies outside of the file's folder (--images DIR: a folder that holds it)");
	import_bad("json/p.json: image 5: its image has no file_name");
	import_bad("json/p.json: image 6: its image 'x/../../img/z.png' lies outside of the file's folder (--images DIR: a folder that "
		   "holds it)");
	import_bad("json/p.json: image 7: its image has no file_name");
	import_bad("json/p.json: image 8: its image 'x/..' lies outside of the file's folder (--images DIR: a folder that holds it)");
	import_ends();
	import_close();
	/* a name that climbs is one from the JSON's folder, and must come to lie in --images */
	import_open_call(&(struct import_call){"json/p.json", {.unlabelled = 1, .images = "img/"}});
	import_is("a b#%20\xc3\xa4.JPG", "image 1", 0, NULL);
	ck_assert_str_eq(import_face.path, "img/a b#%20\xc3\xa4.JPG");
	ck_assert_int_eq(import_next(), 1);
	import_bad("json/p.json: image 3: its image '../out.png' lies outside of --images");
	import_bad("json/p.json: image 4: its image '/etc/passwd' lies outside of --images");
	ck_assert_int_eq(import_next(), -1);
	import_is("x/../../img/z.png", "image 6", 0, NULL);
	snprintf(inside, sizeof inside, "%s/img/z.png", here);
	ck_assert_str_eq(import_face.path, inside);
	import_close();
	import_open_call(&(struct import_call){"json/p.json", {.unlabelled = 1, .images = "/"}});
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(import_next(), 1);
	snprintf(inside, sizeof inside, "%s/out.png", here);
	ck_assert_str_eq(import_face.path, inside);
	import_is("/etc/passwd", "image 4", 0, NULL);
	ck_assert_str_eq(import_face.path, "/etc/passwd");
	import_close();
	/* --images, or a folder on the way of the name, is a link; a link that leads out of --images is none that leads in */
	ck_assert_int_eq(symlink("img", "link") | symlink("..", "img/up"), 0);
	for (int i = 0; i < 4; i++) {
		static const char *const names[] = {"link/z.png", "img/z.png", "link/../img/z.png", "img/up/z.png"};
		char json[6000];
		snprintf(json, sizeof json, "{\"images\":[{\"id\":1,\"file_name\":\"%s/%s\"}]," CATEGORIES "}", here, names[i]);
		import_open("link.json", json,
			(struct annotation_options){.unlabelled = 1,
				.images = i % 2 ? "link"
					  : i	? "link/"
						: "img"});
		ck_assert_msg(import_next() == 1, "%s: %s", names[i], import_err);
		snprintf(inside, sizeof inside, "%s/%s", here, i < 3 ? "img/z.png" : names[i]);
		ck_assert_str_eq(import_face.path, inside);
		import_close();
	}
	char out[6000];
	snprintf(out, sizeof out, "{\"images\":[{\"id\":1,\"file_name\":\"%s/link/up/z.png\"}]," CATEGORIES "}", here);
	import_open("link.json", out, (struct annotation_options){.unlabelled = 1, .images = "img"});
	ck_assert_int_eq(import_next(), -1);
	import_close();
	/* a folder whose name only begins like that of --images */
	mkdir("im", 0700);
	import_open_call(&(struct import_call){"json/p.json", {.unlabelled = 1, .images = "im"}});
	for (int i = 0; i < 5; i++)
		import_next();
	import_bad("json/p.json: image 6: its image 'x/../../img/z.png' lies outside of --images");
	import_close();
}
END_TEST

START_TEST(packed)
{
	static const char text[] = FILE_OF("{\"id\":1,\"image_id\":7,\"category_id\":1," POINTS "}");
	gzFile z = gzopen("z.json.gz", "wb");
	ck_assert(z && gzwrite(z, text, sizeof text - 1) > 0 && gzclose(z) == Z_OK);
	import_open_call(&(struct import_call){"z.json.gz", NONE});
	import_is("x/y.jpg", "annotation 1", 1, (const double[]){1, 2, 3, 4});
	import_ends();
	import_close();
	ck_assert_int_eq(truncate("z.json.gz", 100), 0);
	import_dies("z.json.gz", NONE, "z.json.gz: the gzip data are cut: the file ends inside them");
}
END_TEST

/* The same image listed twice, with the same name, is one. */
START_TEST(merged)
{
	import_open("m.json",
		"{\"images\":[{\"id\":1,\"file_name\":\"a\"},{\"id\":2,\"file_name\":\"b\"},{\"id\":1,\"file_name\":\"a\"},{\"id\":2,"
		"\"file_name\":\"b\"}]," CATEGORIES ",\"annotations\":[{\"id\":1,\"image_id\":1,\"category_id\":1," POINTS "}]}",
		(struct annotation_options){.unlabelled = 1});
	import_is("a", "annotation 1", 1, (const double[]){1, 2, 3, 4});
	import_is("b", "image 2", 0, NULL);
	import_ends();
	import_close();
}
END_TEST

/* ---- memory ---- */

static void write_many(const char *path, long bytes)
{
	FILE *f = fopen(path, "wb");
	fprintf(f, "{\"annotations\":[");
	for (long id = 0; ftell(f) < bytes; id++) {
		fprintf(f, "%s{\"id\":%ld,\"image_id\":7,\"category_id\":1,\"segmentation\":[[", id ? "," : "", id);
		for (int i = 0; i < 40; i++)
			fprintf(f, "%d.5,", i * 10);
		fprintf(f, "0]],\"keypoints\":[%ld.25,2,2,3,%ld,1]}", id % 640, id % 480);
	}
	fprintf(f, "],%s,%s}", IMAGES, CATEGORIES);
	ck_assert(!fclose(f));
}

static long peak(void)
{
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	return r.ru_maxrss; /* KiB */
}

/* Memory does not grow with the annotations: after a file of 1 MB, one of 20 MB takes no more. */
START_TEST(memory)
{
#ifdef __SANITIZE_ADDRESS__ /* which keeps what was freed for a while */
	const long most = 16 << 10;
#else
	const long most = 4 << 10;
#endif
	long before = 0, id;
	for (int i = 0; i < 2; i++) {
		write_many("many.json", i ? 20 << 20 : 1 << 20);
		import_open_call(&(struct import_call){"many.json", NONE});
		for (id = 0; import_next() == 1; id++)
			if (import_face.points[0] != (double)(id % 640) + 0.25 || import_face.points[3] != (double)(id % 480))
				ck_abort_msg("annotation %ld", id);
		import_close();
		if (!i)
			before = peak();
	}
	ck_assert_msg(id > 60000, "%ld annotations", id);
	ck_assert_msg(peak() - before < most, "%ld KiB more", peak() - before);
}
END_TEST

int main(void)
{
	import_begin("coco");
	Suite *s = suite_create("coco");
	TCase *t = tcase_create("coco");
	suite_add_tcase(s, t);
	tcase_add_test(t, plain);
	tcase_add_test(t, backwards);
	tcase_add_test(t, ids);
	tcase_add_test(t, own_ids);
	tcase_add_test(t, not_a_number);
	tcase_add_test(t, pieces);
	tcase_add_test(t, crowds);
	tcase_add_test(t, scores);
	tcase_add_test(t, categories);
	tcase_add_test(t, bad_faces);
	tcase_add_test(t, bad_files);
	tcase_add_test(t, paths);
	tcase_add_test(t, packed);
	tcase_add_test(t, merged);
	tcase_add_test(t, memory);
	return import_end(s);
}
