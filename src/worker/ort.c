/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/ort.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* ---- what is used of the interface of C, as it is documented (OrtApi of ONNX Runtime) ---- */

enum {
    LOG_FATAL = 4,
    OPTIMISE_ALL = 99,
    ELEMENT_FLOAT = 1,
    ALLOCATOR_ARENA = 1,
    MEMORY_DEFAULT = 0,
};

typedef struct status status; /* NULL: it went well */
typedef void unused(void);

typedef struct api {
    unused *slot_0;
    int (*error_code)(const status *);
    const char *(*error_message)(const status *);
    status *(*create_env)(int severity, const char *id, void **ret);
    unused *slot_4[4];
    status *(*create_session)(void *env, const void *model, size_t bytes, const void *options,
                              void **ret);
    status *(*run)(void *session, const void *options, const char *const *input_names,
                   const void *const *inputs, size_t n, const char *const *output_names,
                   size_t n_outputs, void **ret);
    status *(*create_options)(void **ret);
    unused *slot_11[6];
    status *(*disable_memory_pattern)(void *options);
    unused *slot_18;
    status *(*disable_arena)(void *options);
    unused *slot_20[3];
    status *(*set_optimisation)(void *options, int level);
    status *(*set_threads_inside)(void *options, int n);
    status *(*set_threads_between)(void *options, int n);
    unused *slot_26[4];
    status *(*input_count)(const void *session, size_t *ret);
    status *(*output_count)(const void *session, size_t *ret);
    unused *slot_32;
    status *(*input_type)(const void *session, size_t i, void **ret);
    status *(*output_type)(const void *session, size_t i, void **ret);
    unused *slot_35;
    status *(*input_name)(const void *session, size_t i, void *allocator, char **ret);
    status *(*output_name)(const void *session, size_t i, void *allocator, char **ret);
    unused *slot_38[11];
    status *(*create_tensor)(const void *memory, void *data, size_t bytes, const int64_t *shape,
                             size_t rank, int element, void **ret);
    unused *slot_50;
    status *(*tensor_data)(void *value, void **ret);
    unused *slot_52[3];
    status *(*tensor_info)(const void *type, const void **ret);
    unused *slot_56[4];
    status *(*element_type)(const void *info, int *ret);
    status *(*rank)(const void *info, size_t *ret);
    status *(*shape)(const void *info, int64_t *ret, size_t rank);
    unused *slot_63[2];
    status *(*tensor_type)(const void *value, void **ret);
    unused *slot_66[3];
    status *(*create_memory)(int allocator, int kind, void **ret);
    unused *slot_70[6];
    status *(*allocator_free)(void *allocator, void *p);
    unused *slot_77;
    status *(*default_allocator)(void **ret);
    unused *slot_79[13];
    void (*release_env)(void *);
    void (*release_status)(status *);
    void (*release_memory)(void *);
    void (*release_session)(void *);
    void (*release_value)(void *);
    unused *slot_97;
    void (*release_type)(void *);
    void (*release_info)(void *);
    void (*release_options)(void *);
} api;

#define AT_SLOT(member, n)                                                                         \
    _Static_assert(offsetof(api, member) == (n) * sizeof(unused *), "a slot of the interface")
AT_SLOT(create_env, 3);
AT_SLOT(create_session, 8);
AT_SLOT(create_options, 10);
AT_SLOT(disable_memory_pattern, 17);
AT_SLOT(disable_arena, 19);
AT_SLOT(set_optimisation, 23);
AT_SLOT(input_count, 30);
AT_SLOT(input_type, 33);
AT_SLOT(input_name, 36);
AT_SLOT(create_tensor, 49);
AT_SLOT(tensor_data, 51);
AT_SLOT(tensor_info, 55);
AT_SLOT(rank, 61);
AT_SLOT(tensor_type, 65);
AT_SLOT(create_memory, 69);
AT_SLOT(allocator_free, 76);
AT_SLOT(default_allocator, 78);
AT_SLOT(release_env, 92);
AT_SLOT(release_value, 96);
AT_SLOT(release_options, 100);

typedef struct api_base {
    const api *(*get)(uint32_t version);
    const char *(*version)(void);
} api_base;

/* ---- the library ---- */

enum { NAME_MAX_BYTES = 64, VERSION_MAX = 24 };

struct ort {
    const api *api;
    void *env, *memory, *allocator; /* the last one is the library's own */
    char version[VERSION_MAX];
};

struct ort_net {
    const ort *o;
    void *session;
    char input[NAME_MAX_BYTES];
    uint32_t n;
    char outputs[ORT_OUTPUTS][NAME_MAX_BYTES];
};

/* What the library says, without what could end a line. */
static int refuse(const ort *o, status *s, const char *what, atg_err *err) {
    const char *said = o->api->error_message(s);
    char text[200];
    int rc;

    (void)snprintf(text, sizeof(text), "%s", said ? said : "");
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < ' ' || (unsigned char)*p > '~')
            *p = ' ';
    rc = strstr(text, "bad_alloc") || strstr(text, "ailed to allocate")
             ? atg_fail(err, ATG_ELIMIT, "%s: it needs more memory than the worker may use", what)
             : atg_fail(err, ATG_EINVAL, "%s: %s", what, text);
    o->api->release_status(s);
    return rc;
}

static int open_api(ort *o, const char *library, atg_err *err) {
    const api_base *(*base)(void) = NULL;
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    void *found = handle ? dlsym(handle, "OrtGetApiBase") : NULL;
    const api_base *b;

    if (!found) {
        const char *why = dlerror(); /* NOLINT(concurrency-mt-unsafe): one thread */

        return atg_fail(err, ATG_EIO, "ONNX Runtime cannot be loaded: %.200s", why ? why : library);
    }
    memcpy(&base, &found, sizeof(base));
    b = base();
    if (!b || !b->version || !(o->api = b->get(ORT_API)))
        return atg_fail(err, ATG_EIO, "The ONNX Runtime %s is too old: 1.%d or later is needed",
                        library, ORT_API);
    (void)snprintf(o->version, sizeof(o->version), "%s", b->version());
    return ATG_OK;
}

int ort_open(const char *library, ort **ret, atg_err *err) {
    ort *o = mem_zero(1, sizeof(*o));
    status *s;
    int rc;

    if (!o)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for ONNX Runtime");
    rc = open_api(o, library, err);
    if (rc) {
        mem_free(o);
        return rc;
    }
    s = o->api->create_env(LOG_FATAL, "antigone", &o->env);
    s = s ? s : o->api->create_memory(ALLOCATOR_ARENA, MEMORY_DEFAULT, &o->memory);
    s = s ? s : o->api->default_allocator(&o->allocator);
    if (s) {
        rc = refuse(o, s, "ONNX Runtime does not start", err);
        mem_free(o);
        return rc;
    }
    *ret = o;
    return ATG_OK;
}

const char *ort_version(const ort *o) {
    return o->version;
}

/* ---- a network ---- */

/* One thread, the caller's: threads of the library's own would only wait for each other in
 * networks as small as these.  Its arena is left out, since it gives nothing back. */
static status *set_options(const api *a, void *options) {
    status *s = a->set_threads_inside(options, 1);

    s = s ? s : a->set_threads_between(options, 1);
    s = s ? s : a->set_optimisation(options, OPTIMISE_ALL);
    s = s ? s : a->disable_memory_pattern(options);
    return s ? s : a->disable_arena(options);
}

int ort_net_open(const ort *o, atg_str onnx, ort_net **ret, atg_err *err) {
    ort_net *net = mem_zero(1, sizeof(*net));
    void *options = NULL;
    status *s;

    if (!net)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a network");
    net->o = o;
    s = o->api->create_options(&options);
    s = s ? s : set_options(o->api, options);
    s = s ? s : o->api->create_session(o->env, onnx.p, onnx.n, options, &net->session);
    if (options)
        o->api->release_options(options);
    if (s) {
        mem_free(net);
        return refuse(o, s, "ONNX Runtime refuses the network", err);
    }
    *ret = net;
    return ATG_OK;
}

void ort_net_close(ort_net *net) {
    if (!net)
        return;
    net->o->api->release_session(net->session);
    mem_free(net);
}

/* A name of the library's, copied; cut off it would be no name at all. */
static status *copy_name(const ort_net *net, bool output, size_t i, char ret[NAME_MAX_BYTES]) {
    const ort *o = net->o;
    char *name = NULL;
    status *s = output ? o->api->output_name(net->session, i, o->allocator, &name)
                       : o->api->input_name(net->session, i, o->allocator, &name);

    ret[0] = '\0';
    if (s)
        return s;
    if (strlen(name) < NAME_MAX_BYTES)
        memcpy(ret, name, strlen(name) + 1);
    return o->api->allocator_free(o->allocator, name);
}

static int bind_input(ort_net *net, int64_t ret_shape[ORT_RANK], atg_err *err) {
    const api *a = net->o->api;
    const void *info = NULL;
    void *type = NULL;
    size_t n = 0, rank = 0;
    int element = 0;
    status *s = a->input_count(net->session, &n);

    s = s || n != 1 ? s : a->input_type(net->session, 0, &type);
    s = s || !type ? s : a->tensor_info(type, &info);
    s = s || !info ? s : a->element_type(info, &element);
    s = s || !info ? s : a->rank(info, &rank);
    if (!s && rank == ORT_RANK)
        s = a->shape(info, ret_shape, rank);
    s = s || n != 1 ? s : copy_name(net, false, 0, net->input);
    if (type)
        a->release_type(type);
    if (s)
        return refuse(net->o, s, "The network's input is not known", err);
    if (rank != ORT_RANK || element != ELEMENT_FLOAT || !net->input[0])
        return atg_fail(err, ATG_EINVAL,
                        "The network must have one input: floats, 4 dimensions (NCHW)");
    for (int i = 0; i < ORT_RANK; i++)
        ret_shape[i] = ret_shape[i] > 0 ? ret_shape[i] : 0;
    return ATG_OK;
}

static int bind_outputs(ort_net *net, const char *const *names, uint32_t n, atg_err *err) {
    const api *a = net->o->api;
    size_t has = 0;
    status *s = a->output_count(net->session, &has);

    for (size_t i = 0; i < has && !s; i++) {
        char name[NAME_MAX_BYTES];

        s = copy_name(net, true, i, name);
        for (uint32_t k = 0; k < n && !s; k++)
            if (names[k] ? strcmp(names[k], name) == 0 : has == 1)
                memcpy(net->outputs[k], name, sizeof(name));
    }
    if (s)
        return refuse(net->o, s, "The network's outputs are not known", err);
    for (uint32_t k = 0; k < n; k++)
        if (!net->outputs[k][0])
            return names[k]
                       ? atg_fail(err, ATG_EINVAL, "The network has no output \"%s\"", names[k])
                       : atg_fail(err, ATG_EINVAL, "The network must have one output");
    net->n = n;
    return ATG_OK;
}

int ort_net_bind(ort_net *net, const char *const *names, uint32_t n, int64_t ret_shape[ORT_RANK],
                 atg_err *err) {
    int64_t shape[ORT_RANK] = {0};
    int rc = bind_input(net, shape, err);

    if (!rc)
        rc = bind_outputs(net, names, n, err);
    if (!rc)
        memcpy(ret_shape, shape, sizeof(shape));
    return rc;
}

/* ---- a run ---- */

static status *look_at(const ort *o, void *value, ort_tensor *t, int *ret_element) {
    const api *a = o->api;
    void *info = NULL, *data = NULL;
    size_t rank = 0;
    status *s = a->tensor_type(value, &info);

    s = s ? s : a->element_type(info, ret_element);
    s = s ? s : a->rank(info, &rank);
    t->rank = (uint32_t)rank;
    if (!s && rank <= ORT_RANK)
        s = a->shape(info, t->shape, rank);
    s = s ? s : a->tensor_data(value, &data);
    if (info)
        a->release_info(info);
    t->x = data;
    return s;
}

static int take_output(const ort *o, void *value, ort_tensor *t, atg_err *err) {
    int element = 0;
    status *s = look_at(o, value, t, &element);

    if (s)
        return refuse(o, s, "The network's output is not known", err);
    if (element != ELEMENT_FLOAT || t->rank > ORT_RANK || !t->x)
        return atg_fail(err, ATG_EINVAL, "The network's output is no floats");
    t->n = 1;
    for (uint32_t i = 0; i < t->rank; i++)
        t->n *= t->shape[i] > 0 ? (size_t)t->shape[i] : 0;
    for (size_t i = 0; i < t->n; i++)
        if (!isfinite(t->x[i]))
            return atg_fail(err, ATG_EINVAL, "The network's output is not finite");
    return ATG_OK;
}

int ort_net_run(const ort_net *net, const float *in, const int64_t shape[ORT_RANK], ort_result *ret,
                atg_err *err) {
    const ort *o = net->o;
    const char *inputs[] = {net->input}, *outputs[ORT_OUTPUTS];
    size_t n = sizeof(float);
    const void *values[1];
    void *value = NULL, *data;
    ort_result r = {.o = o};
    status *s;
    int rc = ATG_OK;

    for (int i = 0; i < ORT_RANK; i++)
        n *= (size_t)shape[i];
    for (uint32_t i = 0; i < net->n; i++)
        outputs[i] = net->outputs[i];
    memcpy(&data, &in, sizeof(data)); /* only read, but taken as not const */
    s = o->api->create_tensor(o->memory, data, n, shape, ORT_RANK, ELEMENT_FLOAT, &value);
    values[0] = value;
    s = s ? s : o->api->run(net->session, NULL, inputs, values, 1, outputs, net->n, r.held);
    if (value)
        o->api->release_value(value);
    if (s)
        rc = refuse(o, s, "The network does not run", err);
    for (uint32_t i = 0; i < net->n && !rc; i++)
        rc = take_output(o, r.held[i], &r.out[i], err);
    if (rc) {
        ort_result_close(&r);
        return rc;
    }
    *ret = r;
    return ATG_OK;
}

void ort_result_close(ort_result *r) {
    for (int i = 0; i < ORT_OUTPUTS; i++)
        if (r->held[i])
            r->o->api->release_value(r->held[i]);
    memset(r, 0, sizeof(*r));
}
