/* pca-fit - patches or a data set into a model: their principal components, a linear encoder and its decoder. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/each_thread.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/pca/eigen.h"
#include "lib/pca/pca_model.h"
#include "lib/train/dataset.h"

static struct {
	const char *whiten, *patches, *output;
	int64_t components, threads;
	double energy;
	uint64_t seed;
	int quiet;
} o = {.whiten = "none", .patches = "all", .energy = 0.95, .seed = 1};

static const struct opt opts[] = {
	{'k', "components", OPT_INT, &o.components, 0, 1000000, "N", "how many components; 0: as many as --energy needs", 0},
	{0, "energy", OPT_REAL, &o.energy, 1e-6, 1, "F", "share of the variance that the components explain together", 0},
	{0, "whiten", OPT_CHOICE, &o.whiten, 0, 0, "none|zca|pca",
		"codes: coordinates along the components; pca: each divided by its standard deviation; zca: these as an image again, the "
		"white one nearest to the patch",
		0},
	OPT_PATCHES(&o.patches),
	OPT_SEEDED(&o.seed),
	OPT_THREADS(&o.threads),
	OPT_QUIET(&o.quiet),
	OPT_OUTPUT(&o.output),
	OPT_END,
};

static const struct opt_prog prog = {"pca-fit", "find the principal components of patches and write them as a model, as an autoencoder's",
	"[PATCHES]", 0, 1, opts,
	{"patch-extract --preset eyes faces.tns | pca-fit -k 50 -o pca.tns && render tiles pca.tns -o components.png",
		"pca-fit --energy 0.9 --whiten pca patches.tns -o pca.tns && predict pca.tns patches.tns | render pairs -o pairs.png",
		NULL}};

static enum pca_whiten whiten(void)
{
	return !strcmp(o.whiten, "none") ? PCA_PLAIN : !strcmp(o.whiten, "pca") ? PCA_WHITE : PCA_ZCA;
}

int main(int argc, char **argv)
{
	int n;
	char **operand = opt_parse(&prog, argc, argv, &n);
	tns_promise(o.output);
	if (o.components && opt_given("energy"))
		die_usage("--components and --energy exclude each other");
	struct dataset *data = dataset_load_patches(NULL, operand[0], o.patches);
	int pixels = data->W * data->H;
	if (o.components > (data->n < (uint32_t)pixels ? (int64_t)data->n : pixels))
		die("%s: --components %lld of %u rows of %d pixels: there are not as many", data->head->name, (long long)o.components,
			data->n, pixels);
	struct pca_options a = {.k = (int)o.components, .energy = o.energy, .whole = PCA_WHOLE, .matrix = PCA_MATRIX, .seed = o.seed};
	a.threads = threads_wanted(o.threads);
	uint8_t *images = dataset_take_images(data);
	struct pca *p = pca_fit(images, data->n, pixels, &a, data->head->name);
	struct model *m = pca_model(p, data->W, data->H, whiten());
	pca_model_save(m, p, o.output, data->head);
	if (!o.quiet) {
		warn("%d component%s %.4g of the variance of %u rows of %d pixels", p->k, p->k == 1 ? " explains" : "s explain",
			pca_explained(p, p->k), data->n, pixels);
		warn("computed by %s", eigen_kernel()); /* equal results bit by bit are guaranteed for these kernels only */
	}
	log_provenance(o.quiet);
	model_free(m), pca_free(p), free(images), dataset_free(data);
	return finish();
}
