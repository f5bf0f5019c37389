/* Tables of layers' names, here and elsewhere. */
#include <stdio.h>
#include <string.h>

#include "lib/base/nearest.h"
#include "lib/nn/layer_alias.h"

static const struct {
	const char *word, *form;
} layers[] = {{"conv", "convHxWxC[sS][pP][dD], H, W, C, S and D from 1 to 1000000, P up to D (H - 1) and D (W - 1)"},
	{"pool", "poolN, N from 1 to 15"}, {"up", "upN, N from 1 to 1024"},
	{"fc", "fcN, N from 1 to 1000000, or fc for as many as the target has"}, {"bn", "bn"}, {"dropout", "dropoutF, F from 0 to below 1"},
	{"relu", "relu"}, {"tanh", "tanh"}, {"sigmoid", "sigmoid"}};
enum { LAYERS = sizeof layers / sizeof *layers };

/* Other tools' names in lower case, without - and _; of names that begin alike the longer first. */
static const struct {
	const char *name, *word, *why; /* word: ours; NULL: why says what to do */
} others[] = {
	{"maxpooling2d", "pool", 0},
	{"maxpool2d", "pool", 0},
	{"maxpooling", "pool", 0},
	{"maxpool", "pool", 0},
	{"pooling", "pool", 0},
	{"pool2d", "pool", 0},
	{"batchnormalization", "bn", 0},
	{"batchnorm2d", "bn", 0},
	{"batchnorm1d", "bn", 0},
	{"batchnorm", "bn", 0},
	{"bn2d", "bn", 0},
	{"linear", "fc", 0},
	{"dense", "fc", 0},
	{"fullyconnected", "fc", 0},
	{"innerproduct", "fc", 0},
	{"dropout2d", "dropout", 0},
	{"dropout", "dropout", 0},
	{"drop", "dropout", 0},
	{"upsampling2d", "up", 0},
	{"upsample", "up", 0},
	{"unpool", "up", 0},
	{"logistic", "sigmoid", 0},
	{"convtranspose2d", NULL, "here it is up2 and a convHxWxC"},
	{"convtranspose", NULL, "here it is up2 and a convHxWxC"},
	{"deconv", NULL, "here it is up2 and a convHxWxC"},
	{"convolution", NULL, "here it is convHxWxC[sS][pP][dD]"},
	{"conv2d", NULL, "here it is convHxWxC[sS][pP][dD]"},
	{"softmax", NULL, "leave it out: the target's loss has it"},
	{"residual", NULL, "write ( before the layers that a skip passes by, )+ after them"},
	{"shortcut", NULL, "write ( before the layers that a skip passes by, )+ after them"},
	{"skip", NULL, "write ( before the layers that a skip passes by, )+ after them"},
	{"add", NULL, "write ( before the layers that a skip passes by, )+ after them"},
	{"concat", NULL, "skips are added, not joined: ( before the layers that one passes by, )+ after them"},
	{"flatten", NULL, "leave it out: fc takes all values before it"},
	{"identity", NULL, "leave it out"},
	{"avgpool", NULL, "poolN takes the maximum; a convHxWxC with a stride averages what it learns to"},
	{"averagepool", NULL, "poolN takes the maximum; a convHxWxC with a stride averages what it learns to"},
	{"globalaverage", NULL, "poolN takes the maximum; fc takes all values before it"},
	{"leakyrelu", NULL, "activations are relu, tanh and sigmoid"},
	{"prelu", NULL, "activations are relu, tanh and sigmoid"},
	{"elu", NULL, "activations are relu, tanh and sigmoid"},
	{"gelu", NULL, "activations are relu, tanh and sigmoid"},
	{"silu", NULL, "activations are relu, tanh and sigmoid"},
	{"swish", NULL, "activations are relu, tanh and sigmoid"},
};

/* The token without - _ ( ) and blanks, in lower case, so that Max_Pool2d(2) is maxpool2d2; at most 60 bytes. */
static void simplify(const char *token, char to[64])
{
	size_t n = 0;
	for (; *token && n < 60; token++)
		if (!strchr("-_() ", *token))
			to[n++] = *token >= 'A' && *token <= 'Z' ? (char)(*token - 'A' + 'a') : *token;
	to[n] = 0;
}

/* The number of the layer whose word the text begins with, or -1. */
static int begins(const char *text)
{
	for (int i = 0; i < LAYERS; i++)
		if (!strncmp(text, layers[i].word, strlen(layers[i].word)))
			return i;
	return -1;
}

/* Our layer of this word, with the number that begins rest where it takes one: of dropout a fraction, of others whole. */
static void numbered(const char *word, const char *rest, char to[80])
{
	int bare = !strcmp(layers[begins(word)].form, word), fraction = !strcmp(word, "dropout");
	size_t n = bare ? 0 : strspn(rest, fraction ? "0123456789." : "0123456789");
	if (n || bare || !strcmp(word, "fc"))
		snprintf(to, 80, "%s%.*s", word, (int)n, rest);
	else
		snprintf(to, 80, "%s%s", word, fraction ? "F" : "N");
}

/* What another tool's name is here; 0 where it is none. */
static int elsewhere(const char *simple, char *hint)
{
	char ours[80];
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		size_t len = strlen(others[i].name);
		if (strncmp(simple, others[i].name, len) || (others[i].word && simple[len] >= 'a' && simple[len] <= 'z'))
			continue;
		if (others[i].word)
			numbered(others[i].word, simple + len, ours), snprintf(hint, LAYER_ALIAS_HINT, " (here it is %s)", ours);
		else
			snprintf(hint, LAYER_ALIAS_HINT, " (%s)", others[i].why);
		return 1;
	}
	return 0;
}

/* A ( or ) that is glued to another word, or has no +. */
static int is_parenthesis(const char *token)
{
	size_t n = strlen(token);
	return *token == '(' || *token == ')' || (n > 2 && !strcmp(token + n - 2, ")+"));
}

const char *layer_alias_hint(const char *token, char hint[LAYER_ALIAS_HINT])
{
	if (is_parenthesis(token)) {
		snprintf(hint, LAYER_ALIAS_HINT, " (write ( and )+, each as a word of its own)");
		return hint;
	}
	char simple[64], letters[64];
	simplify(token, simple);
	int own = begins(token);
	const char *rest = own < 0 ? NULL : token + strlen(layers[own].word);
	if (!(rest && (!*rest || strchr("0123456789", *rest))) && elsewhere(simple, hint))
		return hint;
	size_t n = strcspn(simple, "0123456789.");
	memcpy(letters, simple, n), letters[n] = 0;
	struct nearest near = nearest_of(letters);
	for (int i = 0; i < LAYERS; i++)
		nearest_add(&near, layers[i].word);
	if (own >= 0)
		snprintf(hint, LAYER_ALIAS_HINT, " (write %s)", layers[own].form);
	else if (begins(simple) >= 0) /* in capitals, or with parentheses */
		snprintf(hint, LAYER_ALIAS_HINT, " (did you mean %s?)", simple);
	else if (strlen(token) > 4 && *token != '@' && !strcmp(token + strlen(token) - 4, ".net"))
		snprintf(hint, LAYER_ALIAS_HINT, " (a file is named @%.100s)", token);
	else if (near.distance < NEAREST_WORD)
		snprintf(hint, LAYER_ALIAS_HINT, " (did you mean %s%s?)", near.name, simple + n);
	else
		snprintf(hint, LAYER_ALIAS_HINT, " (there are " LAYER_ALIAS_FORMS ")");
	return hint;
}
