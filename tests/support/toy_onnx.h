/* SPDX-License-Identifier: Apache-2.0 */
/* Toy networks: ONNX files of a few nodes, written by hand (protocol buffers; field numbers of
 * onnx.proto).  The detector takes what is white for a face; the embedder pools colours. */
#ifndef ATG_TESTS_TOY_ONNX_H
#define ATG_TESTS_TOY_ONNX_H

#include "testing.h"

#include <stdio.h>

enum { PROTO_MAX = 1 << 16, TOY_DIMENSION = 48, TOY_SIDE = 112 };

typedef struct proto {
    size_t n;
    unsigned char p[PROTO_MAX];
} proto;

static inline void proto_varint(proto *b, uint64_t x) {
    do {
        assert_true(b->n < sizeof(b->p));
        b->p[b->n++] = (unsigned char)((x & 127) | (x > 127 ? 128 : 0));
        x >>= 7;
    } while (x);
}

static inline void proto_int(proto *b, unsigned field, uint64_t x) {
    proto_varint(b, field << 3);
    proto_varint(b, x);
}

static inline void proto_bytes(proto *b, unsigned field, const void *p, size_t n) {
    proto_varint(b, field << 3 | 2);
    proto_varint(b, n);
    assert_true(n <= sizeof(b->p) - b->n);
    memcpy(b->p + b->n, p, n);
    b->n += n;
}

static inline void proto_text(proto *b, unsigned field, const char *z) {
    proto_bytes(b, field, z, strlen(z));
}

static inline void proto_put(proto *b, unsigned field, proto *inner) {
    proto_bytes(b, field, inner->p, inner->n);
    inner->n = 0;
}

/* ---- parts of a graph ---- */

/* A tensor of floats with its values. */
static inline void toy_floats(proto *graph, const char *name, const int64_t *dims, size_t rank,
                              const float *values, size_t n) {
    static proto t;

    for (size_t i = 0; i < rank; i++)
        proto_int(&t, 1, (uint64_t)dims[i]);
    proto_int(&t, 2, 1);
    proto_text(&t, 8, name);
    proto_bytes(&t, 9, values, n * sizeof(*values));
    proto_put(graph, 5, &t);
}

static inline void toy_shape(proto *graph, const char *name, const int64_t *values, size_t n) {
    static proto t;

    proto_int(&t, 1, n);
    proto_int(&t, 2, 7);
    proto_text(&t, 8, name);
    proto_bytes(&t, 9, values, n * sizeof(*values));
    proto_put(graph, 5, &t);
}

/* What goes in or comes out; a size of 0 is any. */
static inline void toy_value(proto *graph, unsigned field, const char *name, const int64_t *dims,
                             size_t rank) {
    static proto dim, shape, tensor, type, value;
    char free_size[] = "a";

    for (size_t i = 0; i < rank; i++) {
        free_size[0] = (char)('a' + i);
        if (dims[i])
            proto_int(&dim, 1, (uint64_t)dims[i]);
        else
            proto_text(&dim, 2, free_size);
        proto_put(&shape, 1, &dim);
    }
    proto_int(&tensor, 1, 1);
    proto_put(&tensor, 2, &shape);
    proto_put(&type, 1, &tensor);
    proto_text(&value, 1, name);
    proto_put(&value, 2, &type);
    proto_put(graph, field, &value);
}

/* A node of one output; `ints` of an attribute or none. */
static inline void toy_node(proto *graph, const char *op, const char *const *inputs,
                            const char *output, const char *const *names, const int64_t (*ints)[4],
                            const size_t *n_ints) {
    static proto attribute, node;

    for (size_t i = 0; inputs[i]; i++)
        proto_text(&node, 1, inputs[i]);
    proto_text(&node, 2, output);
    proto_text(&node, 4, op);
    for (size_t i = 0; names && names[i]; i++) {
        proto_text(&attribute, 1, names[i]);
        for (size_t k = 0; k < n_ints[i]; k++)
            proto_int(&attribute, 8, (uint64_t)ints[i][k]);
        proto_int(&attribute, 20, 7);
        proto_put(&node, 5, &attribute);
    }
    proto_put(graph, 1, &node);
}

static inline void toy_plain(proto *graph, const char *op, const char *a, const char *b,
                             const char *output) {
    const char *const inputs[] = {a, b, NULL};

    toy_node(graph, op, inputs, output, NULL, NULL, NULL);
}

static inline void toy_pool(proto *graph, const char *input, const char *output, int64_t side) {
    const char *const inputs[] = {input, NULL}, *const names[] = {"kernel_shape", "strides", NULL};
    const int64_t ints[][4] = {{side, side}, {side, side}};
    const size_t n[] = {2, 2};

    toy_node(graph, "AveragePool", inputs, output, names, ints, n);
}

static inline void toy_model(proto *graph, proto *ret) {
    static proto opset;

    ret->n = 0;
    proto_int(ret, 1, 8);
    proto_text(ret, 2, "antigone");
    proto_text(graph, 2, "toy");
    proto_put(ret, 7, graph);
    proto_text(&opset, 1, "");
    proto_int(&opset, 2, 13);
    proto_put(ret, 8, &opset);
}

/* ---- an embedder ---- */

typedef enum toy_fault {
    TOY_SOUND,
    TOY_NAN,       /* its output is no number, whatever goes in */
    TOY_NAN_LATER, /* only for what is not black */
    TOY_SMALL,     /* takes 64 x 64 pixels */
    TOY_OUTPUTS,   /* has an output too many, or (detector) too few */
    TOY_RANK,      /* takes rows of numbers */
    TOY_SHAPE,     /* detector: a tensor has too few numbers */
} toy_fault;

static inline void toy_embedder(toy_fault fault, proto *ret) {
    static proto graph;
    const float zero = 0;
    const int64_t one[] = {1}, side = fault == TOY_SMALL ? 64 : TOY_SIDE;
    const int64_t in[] = {1, 3, side, side}, out[] = {1, 0};
    bool nan = fault == TOY_NAN || fault == TOY_NAN_LATER;

    graph.n = 0;
    toy_value(&graph, 11, "face", in, fault == TOY_RANK ? 2 : 4);
    toy_value(&graph, 12, "template", out, 2);
    if (fault == TOY_OUTPUTS)
        toy_value(&graph, 12, "flat", out, 2);
    toy_floats(&graph, "zero", one, 1, &zero, 1);
    if (fault == TOY_RANK)
        toy_plain(&graph, "Neg", "face", NULL, "flat");
    else {
        toy_pool(&graph, "face", "pooled", side / 4);
        toy_plain(&graph, "Flatten", "pooled", NULL, "flat");
    }
    if (fault == TOY_NAN_LATER) {
        toy_plain(&graph, "Neg", "flat", NULL, "less");
        toy_plain(&graph, "Sqrt", "less", NULL, "template");
    } else {
        toy_plain(&graph, nan ? "Div" : "Add", "flat", "zero", "template");
    }
    toy_model(&graph, ret);
}

/* ---- a detector: the outputs of YuNet ---- */

enum { TOY_STRIDES = 3, TOY_TENSORS = 4 };

/* cls, obj: what is white at stride 8 and nowhere else; the box is 8 cells wide, the landmarks
 * stand around its centre. */
static inline size_t toy_weights(int stride, int tensor, float *w, float *bias) {
    static const float marks[] = {-1.5F, -1, 1.5F, -1, 0, 0.3F, -1.2F, 1.5F, 1.2F, 1.5F};
    static const size_t channels[] = {1, 1, 4, 10};
    size_t n = channels[tensor];

    memset(w, 0, 3 * n * sizeof(*w));
    memset(bias, 0, n * sizeof(*bias));
    if (tensor < 2) {
        w[0] = w[1] = w[2] = 0.1F;
        bias[0] = stride == 0 ? -70 : -1000;
    } else if (tensor == 2) {
        bias[0] = bias[1] = 0.5F;
        bias[2] = bias[3] = 2.0794415F; /* ln 8 */
    } else {
        for (size_t i = 0; i < n; i++)
            bias[i] = 0.5F + marks[i];
    }
    return n;
}

static inline void toy_head(proto *graph, int stride, int tensor, toy_fault fault) {
    static const char *const kinds[] = {"cls", "obj", "bbox", "kps"};
    static const char *const ends[] = {"", "_w", "_b", "_c", "_t", "_s"};
    float w[30], bias[10];
    size_t all = toy_weights(stride, tensor, w, bias);
    size_t n = fault == TOY_SHAPE && tensor == 3 ? all / 2 : all;
    char name[6][24], pooled[24];
    const int64_t dims[] = {(int64_t)n, 3, 1, 1}, dims_of_bias[] = {(int64_t)n};
    const int64_t rows[] = {1, -1, (int64_t)n};
    const int64_t out[] = {1, 0, rows[2]}, order[][4] = {{0, 2, 3, 1}};
    const char *const names[] = {"perm", NULL};
    const size_t four[] = {4};

    for (int i = 0; i < 6; i++)
        (void)snprintf(name[i], sizeof(name[i]), "%s_%d%s", kinds[tensor], 8 << stride, ends[i]);
    (void)snprintf(pooled, sizeof(pooled), "pool_%d", 8 << stride);
    toy_floats(graph, name[1], dims, 4, w, 3 * n);
    toy_floats(graph, name[2], dims_of_bias, 1, bias, n);
    toy_shape(graph, name[5], rows, 3);
    toy_node(graph, "Conv", (const char *const[]){pooled, name[1], name[2], NULL}, name[3], NULL,
             NULL, NULL);
    toy_node(graph, "Transpose", (const char *const[]){name[3], NULL}, name[4], names, order, four);
    if (tensor < 2) {
        char raw[32];

        (void)snprintf(raw, sizeof(raw), "%s_raw", name[0]);
        toy_plain(graph, "Reshape", name[4], name[5], raw);
        toy_plain(graph, "Sigmoid", raw, NULL, name[0]);
    } else {
        toy_plain(graph, "Reshape", name[4], name[5], name[0]);
    }
    if (fault != TOY_OUTPUTS || tensor != 3 || stride != 2)
        toy_value(graph, 12, name[0], out, 3);
}

static inline void toy_detector(toy_fault fault, proto *ret) {
    static proto graph;
    const int64_t in[] = {1, 3, fault == TOY_SMALL ? 64 : 0, fault == TOY_SMALL ? 64 : 0};

    graph.n = 0;
    toy_value(&graph, 11, "picture", in, 4);
    for (int stride = 0; stride < TOY_STRIDES; stride++) {
        char pooled[24];

        (void)snprintf(pooled, sizeof(pooled), "pool_%d", 8 << stride);
        toy_pool(&graph, "picture", pooled, 8 << stride);
        for (int tensor = 0; tensor < TOY_TENSORS; tensor++)
            toy_head(&graph, stride, tensor, fault);
    }
    toy_model(&graph, ret);
}

#endif
