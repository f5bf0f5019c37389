/* libFuzzer target of imglab's XML. A fault of the file or of a face must have its reason, a face a name and whole points; reading twice
 * gives the same. With FUZZ_SEEDS=DIR it writes seeds there and exits. */
#include "lib/import/imglab.h"

#define FUZZ_FORM imglab
#define FUZZ_BLANKS 0
#define FUZZ_BROKEN IMGLAB_BROKEN
static const char *const fuzz_seeds[] = {
	"<?xml version='1.0' encoding='ISO-8859-1'?><?xml-stylesheet href='x'?><dataset><name>n</name><images><image "
	"file='a\xc3\xa4/b.jpg' "
	"width='6' height='4'><box top='1' left='2' width='3' height='4'><label>l</label><part name='1' x='1' y='2'/><part name='00' x='3' "
	"y='-4.5'/></box><box ignore='1'/></image><image file='c'/></images></dataset>",
	"<!DOCTYPE dataset [<!ENTITY e 'x'><!ATTLIST box top CDATA '1'>]><dataset><image file='&e;\\&#233;'><box left=\"2\" width=\"3\" "
	"height=\"4\"><part name=\"nose\" x=\"1\" y=\"2\"/></box></image></dataset>",
	"<!DOCTYPE dataset SYSTEM 'x'><dataset/>", "<dataset><box/></dataset>"};

#include "tests/fuzz_faces.h"
