/* SPDX-License-Identifier: Apache-2.0 */
/* Networks by ONNX Runtime, which is loaded at run time through its C interface (its C++ one is
 * never used).  That interface is a table of functions that only ever grows at its end, so the part
 * declared in ort.c holds for every version that answers to ORT_API. */
#ifndef ATG_WORKER_ORT_H
#define ATG_WORKER_ORT_H

#include <antigone/base.h>

enum {
    ORT_API = 15, /* ONNX Runtime 1.15 and later */
    ORT_RANK = 4,
    ORT_OUTPUTS = 12,
};

typedef struct ort ort;
typedef struct ort_net ort_net;

/* Load the library: before the sandbox closes.  ATG_EIO with the reason. */
int ort_open(const char *library, ort **ret, atg_err *err);
/* Of the library; lives as long as it. */
const char *ort_version(const ort *o);

/* Make a network of the bytes of an ONNX file, which may go away afterwards.  It runs on the
 * thread that asks, and on several at once.  Made inside the sandbox: the bytes are not trusted.
 * ATG_EINVAL: the library refuses them. */
int ort_net_open(const ort *o, atg_str onnx, ort_net **ret, atg_err *err);
void ort_net_close(ort_net *net);

/* Does the network take one input, float of rank 4, and give outputs of these names (names[0] NULL:
 * one output, of any name)?  They are what ort_net_run() gives, in this order.  Sizes that the
 * network fixes are in `ret_shape`, others 0.  ATG_EINVAL. */
int ort_net_bind(ort_net *net, const char *const *names, uint32_t n, int64_t ret_shape[ORT_RANK],
                 atg_err *err);

/* An output: as long as the result lives. */
typedef struct ort_tensor {
    const float *x;
    size_t n; /* numbers */
    uint32_t rank;
    int64_t shape[ORT_RANK];
} ort_tensor;

typedef struct ort_result {
    const ort *o;
    void *held[ORT_OUTPUTS];
    ort_tensor out[ORT_OUTPUTS];
} ort_result;

/* ATG_ELIMIT: memory; ATG_EINVAL: anything else that the library says, or numbers that are not
 * finite. */
int ort_net_run(const ort_net *net, const float *in, const int64_t shape[ORT_RANK], ort_result *ret,
                atg_err *err);
void ort_result_close(ort_result *r);

#endif
