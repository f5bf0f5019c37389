/* Files of dlib's imglab as they come: parts in any order, named by numbers or words, some absent; ignored boxes; encodings; and each fault
 * by its words. */
#include <sys/stat.h>

#include "tests/import.h"

#define NONE ((struct annotation_options){0})
#define HEAD                                                                                                                               \
	"<?xml version='1.0' encoding='ISO-8859-1'?>\n<?xml-stylesheet type='text/xsl' "                                                   \
	"href='image_metadata_stylesheet.xsl'?>\n<dataset>\n"
#define BOX "top='90' left='194' width='37' height='40'"
#define FILE_OF(images) "<dataset><images>" images "</images></dataset>"

static void names_are(const char *all)
{
	char text[1000] = "";
	for (int i = 0; i < import_all.K; i++)
		sprintf(text + strlen(text), "%s%s", i ? "," : "", import_all.names[i]);
	ck_assert_str_eq(text, all);
}

START_TEST(plain)
{
	import_open("i.xml",
		"\xef\xbb\xbf" HEAD "<name>Faces</name>\n<comment>Made by &lt;hand&gt;</comment>\n<!-- <box> --><images>\n"
		"  <image file='a/x.jpg' width='640' height='480'>\n    <box " BOX ">\n      <label>face</label>\n"
		"      <part name='1' x='201' y='107'/>\n      <part name='0' x='-3' y='100.5'/>\n      <part y='2' x='1' "
		"name='10'></part>\n    </box>\n"
		"    <box height=\"4\" width=\"3\" left=\"-2\" top=\"1\" ignore=\"0\"><part name=\"2\" x=\"5\" y=\"6\"/></box>\n  "
		"</image>\n"
		"  <image file='b.png'>\n    <box top='1' left='2' width='3' height='4' gender='female' pose='0.5'/>\n  "
		"</image>\n</images>\n</dataset>\n",
		NONE);
	names_are("0,1,2,10");
	ck_assert_int_eq(import_all.longest, 7);
	ck_assert(!import_all.has_confidence && !import_all.has_image_id);
	import_is("a/x.jpg", "image 1, box 1", 1, (const double[]){-3, 100.5, 201, 107, NAN, NAN, 1, 2});
	import_box(194, 90, 37, 40);
	ck_assert_str_eq(import_face.path, "a/x.jpg");
	ck_assert(import_face.W == 640 && import_face.H == 480 && import_face.id == -1 && import_face.image_id == -1);
	import_is("a/x.jpg", "image 1, box 2", 1, (const double[]){NAN, NAN, NAN, NAN, 5, 6, NAN, NAN});
	import_box(-2, 1, 3, 4);
	import_is("b.png", "image 2, box 1", 0, NULL);
	import_box(2, 1, 3, 4);
	ck_assert(import_face.W == 0 && import_face.H == 0);
	import_ends();
	import_close();
}
END_TEST

START_TEST(part_order)
{
	import_open("i.xml",
		FILE_OF("<image file='a'><box " BOX "><part name='09' x='1' y='2'/><part name='10' x='3' y='4'/></box>"
			"<box " BOX "><part name='08' x='5' y='6'/><part name='100' x='7' y='8'/></box></image>"),
		NONE);
	names_are("08,09,10,100");
	import_is("a", "image 1, box 1", 1, (const double[]){NAN, NAN, 1, 2, 3, 4, NAN, NAN});
	import_is("a", "image 1, box 2", 1, (const double[]){5, 6, NAN, NAN, NAN, NAN, 7, 8});
	import_close();
	/* words as they appear; one word among numbers */
	import_open("i.xml",
		FILE_OF("<image file='a'><box " BOX "><part name='nose' x='1' y='2'/><part name='left eye' x='3' y='4'/></box>"
			"<box " BOX
			"><part name='chin' x='5' y='6'/><part name='3' x='9' y='9'/><part name='nose' x='7' y='8'/></box></image>"),
		NONE);
	names_are("nose,left_eye,chin,3");
	import_is("a", "image 1, box 1", 1, (const double[]){1, 2, 3, 4, NAN, NAN, NAN, NAN});
	import_is("a", "image 1, box 2", 1, (const double[]){7, 8, NAN, NAN, 5, 6, 9, 9});
	import_close();
	/* no parts at all: boxes alone */
	import_open("i.xml", FILE_OF("<image file='a'><box " BOX "/></image>"), NONE);
	ck_assert_int_eq(import_all.K, 0);
	import_is("a", "image 1, box 1", 0, NULL);
	import_ends();
	import_close();
}
END_TEST

/* More names than one buffer of text, in an order of their own in each box. */
START_TEST(many_parts)
{
	enum { K = ANNOTATION_POINTS };
	static char text[600000];
	static double points[2 * K];
	for (int extra = 0; extra < 2; extra++) {
		char *s = text + sprintf(text, "<dataset><images><image file='a'>");
		for (int box = 0; box < 2; box++) {
			s += sprintf(s, "<box " BOX ">");
			for (int i = 0; i < K + extra; i++) {
				int k = i < K ? (i * 1237 + box * 99) % K : K;
				s += sprintf(s, "<part name='p%d' x='%d' y='%d'/>\n", k, k, k + box);
			}
			s += sprintf(s, "</box>");
		}
		strcpy(s, "</image></images></dataset>");
		ck_assert_uint_lt(strlen(text), sizeof text);
		if (extra) {
			import_refused(text, "bad: line 4097: image 1, box 1: 'p4096' is the name of a part beyond 4096");
			break;
		}
		import_open("i.xml", text, NONE);
		ck_assert_int_eq(import_all.K, K);
		for (int box = 0; box < 2; box++) {
			for (int i = 0; i < K; i++)
				points[2 * i] = i * 1237 % K, points[2 * i + 1] = i * 1237 % K + box;
			import_is("a", box ? "image 1, box 2" : "image 1, box 1", 1, points);
		}
		import_ends();
		import_close();
	}
}
END_TEST

START_TEST(passed_by)
{
	static const char text[] = FILE_OF("<image file='none'/><image file='a'><box ignore='1' " BOX
					   "><part name='z' x='?'/></box><box " BOX "><part name='0' x='1' y='2'/></box>"
					   "<box ignore='true' top='0'/></image><image file='only'><box " BOX
					   " ignore='1'/></image><image file='too'><label/></image>");
	import_open("i.xml", text, NONE);
	names_are("0");
	import_is("a", "image 2, box 2", 1, (const double[]){1, 2});
	import_ends();
	ck_assert_int_eq(import_all.ignored, 3);
	ck_assert_int_eq(import_all.unlabelled, 2);
	import_close();
	import_open("i.xml", text, (struct annotation_options){.unlabelled = 1});
	import_is("none", "image 1", 0, NULL);
	ck_assert_int_eq(import_face.has_box, 0);
	import_is("a", "image 2, box 2", 1, (const double[]){1, 2});
	import_is("too", "image 4", 0, NULL);
	import_ends();
	ck_assert_int_eq(import_all.unlabelled, 0);
	import_close();
}
END_TEST

/* dlib says ISO-8859-1 of any bytes: those of UTF-8 are kept, others are what they say to be. */
START_TEST(encodings)
{
	static const struct {
		const char *head, *file, *is;
	} cases[] = {
		{"<?xml version='1.0' encoding='ISO-8859-1'?>", "J\xc3\xbcrgen.jpg", "J\xc3\xbcrgen.jpg"},
		{"<?xml version='1.0' encoding='iso-8859-1'?>", "\xe6\x97\xa5.jpg", "\xe6\x97\xa5.jpg"},
		{"<?xml version='1.0' encoding='ISO-8859-1'?>", "J\xfcrgen.jpg", "J\xc3\xbcrgen.jpg"},
		{"<?xml version='1.0' encoding='ISO-8859-1'?>", "J\xc3\xbcrgen&#26085;.jpg", "J\xc3\x83\xc2\xbcrgen\xe6\x97\xa5.jpg"},
		{"<?xml version='1.0' encoding='UTF-8'?>", "J\xc3\xbcrgen.jpg", "J\xc3\xbcrgen.jpg"},
		{"<?xml version='1.0'?>", "J\xc3\x83\xc2\xbc", "J\xc3\x83\xc2\xbc"},
		{"", "a b#%20&amp;&#39;.JPG", "a b#%20&'.JPG"},
		{"", "C:\\faces\\x.png", "C:/faces/x.png"},
		{"<!DOCTYPE dataset [<!ENTITY dir 'faces/2007'>]>", "&dir;/x.jpg", "faces/2007/x.jpg"},
	};
	char text[1000];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(text, sizeof text, "%s" FILE_OF("<image file='%s'><box " BOX "/></image>"), cases[i].head, cases[i].file);
		import_open("e.xml", text, NONE);
		import_is(cases[i].is, "image 1, box 1", 0, NULL);
		import_close();
	}
	/* UTF-16 */
	static const char ascii[] = FILE_OF("<image file='wide'><box " BOX "><part name='0' x='1' y='2'/></box></image>");
	FILE *f = fopen("w.xml", "wb");
	fputs("\xff\xfe", f);
	for (const char *s = ascii; *s; s++)
		fputc(*s, f), fputc(0, f);
	fclose(f);
	import_open_call(&(struct import_call){"w.xml", NONE});
	import_is("wide", "image 1, box 1", 1, (const double[]){1, 2});
	import_close();
}
END_TEST

START_TEST(paths)
{
	mkdir("set", 0700);
	import_open("set/i.xml", FILE_OF("<image file='x.png'><box " BOX "/></image><image file='../y.png'><box " BOX "/></image>"), NONE);
	import_is("x.png", "image 1, box 1", 0, NULL);
	ck_assert_str_eq(import_face.path, "set/x.png");
	import_bad(
		"set/i.xml: image 2, box 1: its image '../y.png' lies outside of the file's folder (--images DIR: a folder that holds it)");
	import_ends();
	import_close();
	import_open_call(&(struct import_call){"set/i.xml", {.images = "."}});
	import_is("x.png", "image 1, box 1", 0, NULL);
	ck_assert_str_eq(import_face.path, "x.png");
	import_is("../y.png", "image 2, box 1", 0, NULL);
	ck_assert_str_eq(strrchr(import_face.path, '/'), "/y.png");
	ck_assert_ptr_null(strstr(import_face.path, "set"));
	import_close();
}
END_TEST

START_TEST(bad_faces)
{
	static const struct {
		const char *image, *says;
	} cases[] = {
		{"<image><box " BOX "/></image>", "the image has no file"},
		{"<image file=''><box " BOX "/></image>", "the image has no file"},
		{"<image file='a'><box top='1' left='2' width='3'/></image>", "the box has no height"},
		{"<image file='a'><box left='2' width='3' height='4'/></image>", "the box has no top"},
		{"<image file='a'><box top='1' left='2px' width='3' height='4'/></image>", "the box: left is '2px', not a number"},
		{"<image file='a'><box top='1' left='2' width='0' height='4'/></image>", "the box: width is 0, not above 0"},
		{"<image file='a'><box top='1' left='2' width='3' height='-4'/></image>", "the box: height is -4, not above 0"},
		{"<image file='a'><box ignore='yes' " BOX "/></image>", "ignore is 'yes', not 0 or 1"},
		{"<image file='a'><box " BOX "><part x='1' y='2'/></box></image>", "part 1 has no name"},
		{"<image file='a'><box " BOX "><part name='0' x='1'/></box></image>", "part '0' has no y"},
		{"<image file='a'><box " BOX "><part name='0' x='' y='2'/></box></image>", "part '0': x is '', not a number"},
		{"<image file='a'><box " BOX "><part name='0' x='nan' y='2'/></box></image>", "part '0': x is 'nan', not a number"},
		{"<image file='a'><box " BOX "><part name='0' x='1' y='2'/><part name='0' x='1' y='2'/></box></image>",
			"part '0' stands twice"},
	};
	char text[2000], says[512];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(text, sizeof text, FILE_OF("%s<image file='b'><box " BOX "><part name='0' x='1' y='2'/></box></image>"),
			cases[i].image);
		snprintf(says, sizeof says, "f.xml: image 1, box 1: %s", cases[i].says);
		import_open("f.xml", text, NONE);
		import_bad(says);
		import_is("b", "image 2, box 1", 1, (const double[]){1, 2});
		import_ends();
		import_close();
	}
}
END_TEST

START_TEST(bad_files)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"", "line 1: the XML ends too early"},
		{"<dataset>\n<images></dataset>", "line 2, column 11: not well-formed XML: mismatched tag"},
		{"<dataset>\n<image file='a'><box " BOX, "line 2, column 17: not well-formed XML: unclosed token"},
		{"<dataset><image file='a' file='b'/>", "line 1, column 26: not well-formed XML: duplicate attribute"},
		{"<dataset><image file='&x;'/>", "line 1, column 10: not well-formed XML: undefined entity"},
		{"<dataset><image file='\xff'/>", "line 1, column 23: not well-formed XML: not well-formed (invalid token)"},
		{"<annotation><image/></annotation>", "line 1: the outermost element is 'annotation', not 'dataset': not of imglab"},
		{"<!DOCTYPE html><html></html>", "line 1: the outermost element is 'html', not 'dataset': not of imglab"},
		{"<dataset>\n<box/></dataset>", "line 2: a box outside of images"},
		{"<dataset><part name='0'/></dataset>", "line 1: a part outside of boxes"},
		{"<dataset><image file='a'><box><box/></box></image></dataset>", "line 1: a box within a box"},
		{"<dataset><image file='a'><image file='b'/></image></dataset>", "line 1: an image within image 1"},
		{"<!DOCTYPE dataset SYSTEM 'imglab.dtd'>\n<dataset/>", "line 1: its DTD is 'imglab.dtd': no other file is opened"},
		{"<!DOCTYPE dataset [\n<!ENTITY x SYSTEM '/etc/passwd'>]><dataset><image file='&x;'/></dataset>",
			"line 2: its entity 'x' is '/etc/passwd': no other file is opened"},
		{"<!DOCTYPE dataset [\n<!ENTITY % x SYSTEM '/etc/passwd'> %x;]><dataset/>",
			"line 2: its entity 'x' is '/etc/passwd': no other file is opened"},
		{"<?xml version='1.0' encoding='EBCDIC'?><dataset/>", "line 1, column 31: not well-formed XML: unknown encoding"},
		{"{\"images\":[]}", "this is JSON, as --form coco reads it"},
	};
	char says[512];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(says, sizeof says, "bad: %s", cases[i].says);
		import_refused(cases[i].text, says);
	}
	import_dies("none.xml", NONE, "none.xml: No such file or directory");
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	import_dies("fifo", NONE, "fifo: it is read twice, which a pipe or a device can't be: a file is needed");
}
END_TEST

/* What would take memory or time without end. */
START_TEST(bombs)
{
	static char text[3 << 20];
	char *s = text + sprintf(text, "<!DOCTYPE dataset [<!ENTITY e0 '0123456789'>");
	for (int i = 1; i < 12; i++)
		s += sprintf(s, "<!ENTITY e%d '&e%d;&e%d;&e%d;&e%d;&e%d;&e%d;&e%d;&e%d;&e%d;&e%d;'>", i, i - 1, i - 1, i - 1, i - 1, i - 1,
			i - 1, i - 1, i - 1, i - 1, i - 1);
	sprintf(s, "]><dataset><image file='&e11;'/></dataset>");
	import_refused(text, "bad: line 1: its entity 'e1' is made of others");
	s = text + sprintf(text, "<!DOCTYPE dataset [<!ENTITY e '");
	memset(s, 'x', 10000);
	s += 10000 + sprintf(s + 10000, "'>]><dataset>");
	for (int i = 0; i < 10000; i++)
		s += sprintf(s, "&e;");
	import_refused(text,
		"bad: line 1, column 12556: not well-formed XML: limit on input amplification factor (from DTD and entities) breached");
	s = text;
	for (int i = 0; i < 200; i++)
		s += sprintf(s, i ? "<a>" : "<dataset>");
	import_refused(text, "bad: line 1: elements are more than 128 deep");
	s = text + sprintf(text, "<dataset>\n<image file='");
	memset(s, 'x', (3 << 20) - 100);
	s[(3 << 20) - 100] = 0;
	import_refused(text, "bad: line 2: a tag or comment of more than 1 MiB");
}
END_TEST

int main(void)
{
	import_begin("imglab");
	Suite *s = suite_create("imglab");
	TCase *t = tcase_create("imglab");
	suite_add_tcase(s, t);
	tcase_add_test(t, plain);
	tcase_add_test(t, part_order);
	tcase_add_test(t, many_parts);
	tcase_add_test(t, passed_by);
	tcase_add_test(t, encodings);
	tcase_add_test(t, paths);
	tcase_add_test(t, bad_faces);
	tcase_add_test(t, bad_files);
	tcase_add_test(t, bombs);
	return import_end(s);
}
