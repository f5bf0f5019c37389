/* cblas.h without complex.h's macro I, which stands for inputs here. */
#ifndef BLAS_H
#define BLAS_H

#include <cblas.h>
#undef I

#endif
