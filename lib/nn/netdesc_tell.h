/* Messages about a net's text: each names the layer's place in file or option (netdesc_text_place). Layers are counted from 0 here, from 1
 * in what is printed. */
#ifndef NETDESC_TELL_H
#define NETDESC_TELL_H

#include "lib/base/err.h"
#include "lib/nn/netdesc.h"
#include "lib/nn/netdesc_text.h"

/* Ends the program (exit 2: the description is the user's) over layer i, or -1: none; hint: behind why, as ": ...", or "". */
void netdesc_tell_refusal(const struct netdesc_text *net, int i, const char *why, const char *hint) NORETURN;
/* A line on stderr for what can't be meant: a relu that changes nothing (netdesc_idle); an output that is nowhere below 0 (netdesc_half),
 * where lost says what that loses, else NULL. */
void netdesc_tell_doubts(const struct netdesc_text *net, const struct netdesc *d, const char *lost);

#endif
