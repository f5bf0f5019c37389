/* Order between the blocks of a launch, for the race detector: what a block did before a barrier, a fence and an integer atomic, in this
 * order, is before what another one does after the same atomic, a fence and a barrier (last_block.h). Ticks are race.cc's. */
#ifndef ATOMIC_H
#define ATOMIC_H

#include <stdint.h>

/* What begins at that tick: a launch, a block, what follows a barrier. */
void atomic_launch(void);
void atomic_block(uint32_t tick);
void atomic_barrier(uint32_t tick);
/* Whether what another block did at that tick, in this launch, is before what the running one does now. */
int atomic_ordered(uint32_t tick);

#endif
