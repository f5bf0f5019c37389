/* model-export - a model into an ONNX file, from bytes to points, or its weights into safetensors */
#include <string.h>
#include <strings.h>

#include "lib/base/confine.h"
#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/convert/convert.h"
#include "lib/deploy/onnx.h"
#include "lib/deploy/safetensors_model.h"

static struct {
	const char *output, *input, *form;
	int fold, flip, quiet;
	int64_t threads;
} o = {.input = "bytes"};

static const struct opt opts[] = {
	{0, "form", OPT_CHOICE, &o.form, 0, 0, "onnx|safetensors",
		"a graph from bytes to points, or the net's weights alone, with what they mean as metadata; else safetensors where the "
		"output's name ends in it, and onnx",
		1},
	{0, "input", OPT_CHOICE, &o.input, 0, 0, "bytes|floats", "type of the graph's input: u8, or floats of the same range, 0 to 255", 0},
	{0, "fold", OPT_FLAG, &o.fold, 0, 0, 0, "fold batch norms into the layers before them", 0},
	{0, "flip", OPT_FLAG, &o.flip, 0, 0, 0, "the graph averages over the image and its mirror image, as predict --flip does", 0},
	OPT_OUTPUT(&o.output),
	OPT_QUIET(&o.quiet),
	OPT_THREADS(&o.threads),
	OPT_END,
};

static const struct opt_prog prog = {
	"model-export",
	"write a model as an ONNX file: images in, points in pixels out; or its weights as safetensors",
	"[MODEL]",
	0,
	1,
	opts,
	{
		"model-export model.tns -o model.onnx",
		"cnn-train -n fc faces.tns | model-export --fold --flip -o model.onnx",
		"model-export model.tns -o model.safetensors",
		NULL,
	},
};

static void export_onnx(const char *path)
{
	struct model *m = model_load(path);
	struct protobuf file = {0};
	onnx_model(&file, m, &(struct onnx_options){.floats = o.input[0] == 'f', .fold = o.fold, .flip = o.flip});
	struct out *to = out_open(o.output, 1);
	out_write(to, file.data, file.n);
	out_close(to);
	protobuf_free(&file);
	model_free(m);
}

/* The name of another program's form, which would hold ONNX all the same. */
static int is_other_form(const char *path)
{
	static const char *const others[] = {".pt", ".pth", ".h5", ".keras", ".pb", ".tflite", ".mlmodel", ".engine", ".npz", ".npy", NULL};
	const char *dot = strrchr(path, '.');
	for (int i = 0; dot && others[i]; i++)
		if (!strcasecmp(dot, others[i]))
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	int n;
	char **args = opt_parse(&prog, argc, argv, &n);
	if (!o.form && o.output && is_other_form(o.output))
		die_usage("--output %s: ONNX and safetensors are written; --form says which, whatever the file's name", o.output);
	int weights = o.form ? *o.form == 's' : o.output && convert_suffix(o.output) == CONVERT_SAFETENSORS;
	for (const struct opt *x = opts; x->name; x++)
		if (weights && !x->no_history && opt_given(x->name))
			die_usage("--%s is for --form onnx: safetensors holds the weights as they are", x->name);
	out_check(o.output, 1);
	confine(o.output);
	if (weights)
		safetensors_model(args[0], o.output);
	else
		export_onnx(args[0]);
	return finish();
}
