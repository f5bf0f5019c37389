/* What a word of a net's text that is no layer was meant to be: layers as other tools call them (maxpool2, BatchNorm2d, Linear(500)),
 * layers that need no word here (softmax, flatten), and slips of the hand, in the words of netdesc.h. For messages: nothing is accepted. */
#ifndef LAYER_ALIAS_H
#define LAYER_ALIAS_H

enum { LAYER_ALIAS_HINT = 160 };

/* The end of a message about token: " (here it is pool2)", " (did you mean relu?)", " (write poolN)", ...; where nothing is near, all
 * layers, " (there are ...)". Returns hint, in which it is written. */
const char *layer_alias_hint(const char *token, char hint[LAYER_ALIAS_HINT]);

/* All layers, as they are written. */
#define LAYER_ALIAS_FORMS "convHxWxC[sS][pP][dD], poolN, upN, fcN, bn, dropoutF, relu, tanh, sigmoid, ( ... )+"

#endif
