/* A model as a safetensors file: its net's tensors under their names (N.weight, N.bias; of a batch norm N.mean, N.var; `prior` of target
 * map), float32, shapes as in the stream (dense [out,in], convolution [out,in,kh,kw]), and its METAs (net, target, input, scale, points or
 * classes, ..., history) as texts of `__metadata__`. What only training needs (`trained`, a checkpoint's `opt/`) is left out. tns-convert
 * makes a model of it again. */
#ifndef SAFETENSORS_MODEL_H
#define SAFETENSORS_MODEL_H

/* Reads the model at path, NULL or "-": stdin, and writes output likewise; ends the program where it is no whole model. */
void safetensors_model(const char *path, const char *output);

#endif
