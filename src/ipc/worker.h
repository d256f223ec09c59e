/* SPDX-License-Identifier: Apache-2.0 */
/* The sandboxed worker (docs/worker.md), as its parent sees it: the one process that decodes what
 * somebody uploaded.
 *
 * A pool starts workers when they are needed, gives each one request at a time, and puts a fresh
 * one in the place of one that ended, looped or was used up.  At most the one request in hand fails
 * with it.  Any number of threads may use a pool; a call waits for its answer.
 *
 * What the codes of worker_picture() and worker_parse() mean:
 *   ATG_EPARSE, ATG_EINVAL, ATG_ELIMIT  the file is refused; the sentence says why, with line and
 *                                       column where it has them.  Trying again is of no use.
 *   ATG_EIO                             the worker ended, cannot be started, or all are busy:
 * trying again may help. ATG_EDENIED                         this machine cannot confine a worker:
 * it decodes nothing. ATG_ENOMEM                          memory of the parent. */
#ifndef ATG_IPC_WORKER_H
#define ATG_IPC_WORKER_H

#include <antigone/base.h>

enum {
    WORKER_POOL_MAX = 4,
    WORKER_INPUTS_MAX = 8,
    WORKER_SIDE_MAX = 2048,       /* of thumbnails and seal images */
    WORKER_INPUT_MAX = 512 << 20, /* bytes of one file */
    WORKER_NOTES_MAX = 1000,
};

/* ---- the pool ---- */

enum { WORKER_DETECTOR, WORKER_EMBEDDER, WORKER_NETWORKS };

/* Files that a worker loads before its sandbox closes (docs/models.md); all of them, or none. */
typedef struct worker_networks {
    const char *runtime; /* the library of ONNX Runtime */
    struct {
        const char *manifest, *file;
    } of[WORKER_NETWORKS];
    uint32_t threads; /* of each worker; 0: two */
} worker_networks;

typedef struct worker_options {
    const char *program;  /* NULL: beside this program, else where it was installed */
    uint32_t workers;     /* at most so many at once; 0: one */
    uint32_t uses;        /* requests until a worker makes place for a fresh one; 0: 100 */
    uint64_t memory;      /* bytes of address space of each; 0: 2 GiB */
    bool loud;            /* its standard error is ours: tests */
    const char *argument; /* one more argument of the program, or NULL: tests */
    /* for faces; lives as long as the pool.  NULL: none */
    const struct worker_networks *networks;
} worker_options;

typedef struct worker_pool worker_pool;

/* Starts nothing yet.  `o` may be NULL.  ATG_ENOTFOUND: there is no such program. */
ATG_MUST_USE int worker_pool_open(const worker_options *o, worker_pool **ret, atg_err *err);
/* Nobody may be using it.  Its workers end. */
void worker_pool_close(worker_pool *pool);
static inline void worker_pool_closep(worker_pool **pool) {
    worker_pool_close(*pool);
}

/* What confines a worker, as it says itself. */
enum {
    WORKER_NS_USER = 1,
    WORKER_NS_NET = 2,
    WORKER_NS_MOUNT = 4, /* in an empty folder of its own */
    WORKER_NS_IPC = 8,
    WORKER_NS_PID = 16,
};

typedef enum worker_format {
    WORKER_JPEG = 1,
    WORKER_PNG,
    WORKER_WEBP,
    WORKER_HEIC,
    WORKER_TIFF,
    WORKER_BMP,
} worker_format;

typedef struct worker_hold {
    bool decodes;        /* enough holds: it does its work */
    bool seccomp;        /* on all of its threads */
    bool no_new_privs;   /* it can gain no rights */
    uint32_t landlock;   /* the kernel's version; 0: the kernel has none */
    uint32_t namespaces; /* bits WORKER_NS_... */
    uint64_t memory;     /* bytes of address space; 0: no limit (sanitizers need more) */
    uint32_t formats;    /* bit 1 << worker_format for each that it decodes */
    char libraries[80];  /* that decode, with their versions */
    char why[200];       /* when it does not decode */
    bool faces;          /* its networks are loaded */
    char why_no_faces[300];
} worker_hold;

typedef struct worker_health {
    char program[256];
    bool known; /* a worker was started and told what holds */
    worker_hold hold;
    uint32_t running, busy;
    uint64_t requests, refused;    /* answered; of them refused with a reason */
    uint64_t started, ended, late; /* ended by themselves, ended because time was up */
} worker_health;

/* Without starting anything.  Any thread. */
void worker_pool_health(worker_pool *pool, worker_health *ret);
/* Start a worker unless one runs, and say what holds.  ATG_EIO: it cannot be started.  That it
 * refuses to decode is no error here. */
ATG_MUST_USE int worker_pool_check(worker_pool *pool, worker_health *ret, atg_err *err);

/* ---- what it is given ---- */

/* Bytes that are given piece by piece through a pipe, so that neither side holds them.  Only
 * WORKER_PARSE_BUNDLE reads so.  `read` is called on a thread of its own. */
typedef struct worker_source {
    uint64_t size;
    int (*read)(void *user, uint64_t at, void *ret, size_t n, atg_err *err);
    void *user;
} worker_source;

/* A file: its bytes, or, where `bytes.p` is NULL, an open file of which the worker gets a
 * descriptor for reading.  That must be a regular file or a memfd that nobody changes meanwhile,
 * open for reading only; it is read from its beginning and costs the parent no memory. */
typedef struct worker_input {
    atg_str bytes;
    int fd;
    const worker_source *from; /* NULL: none; else all files of the request come so */
    atg_str name;              /* as the user calls it, or empty; only its ending counts */
} worker_input;

/* Where long answers go piece by piece.  What came counts only when the call says ATG_OK. */
typedef struct worker_sink {
    int (*write)(void *user, atg_str bytes, atg_err *err);
    void *user;
} worker_sink;

/* ---- pictures ---- */

typedef enum worker_clean {
    WORKER_CLEAN_NONE,
    WORKER_CLEAN_AUTO, /* PNG for what was PNG or has transparency, else JPEG */
    WORKER_CLEAN_JPEG, /* transparent parts become white */
    WORKER_CLEAN_PNG,
} worker_clean;

typedef struct worker_picture_ask {
    worker_input in;
    uint32_t deadline_ms; /* 0: 30 s */
    uint64_t pixels;      /* refuse more than so many; 0: 100 million */
    worker_clean clean;   /* the whole picture again: upright, sRGB, 8 bits, nothing but pixels */
    uint32_t quality;     /* of its JPEG, 1 to 100; 0: 90 */
    uint32_t thumbnail;   /* longest side in pixels, to WORKER_SIDE_MAX; 0: none.  JPEG, 80 */
    uint32_t seal;        /* the same for the seal image: blurred beyond recognition; 0: none */
    const worker_sink *clean_to; /* NULL: into the arena */
    uint64_t clean_max;          /* refuse a longer one; 0: WORKER_INPUT_MAX */
} worker_picture_ask;

typedef struct worker_image {
    worker_format format; /* WORKER_JPEG or WORKER_PNG */
    uint32_t width, height;
    uint64_t size; /* bytes */
    atg_str bytes; /* in the arena; empty when it went to a sink */
} worker_image;

typedef struct worker_picture {
    worker_format format;                /* of the file */
    uint32_t width, height;              /* upright */
    uint32_t orientation;                /* as it was stored, 1 to 8 */
    uint32_t frames;                     /* that the file has; the first one is what is shown */
    worker_image clean, thumbnail, seal; /* those that were asked for; width 0: not asked for */
} worker_picture;

int worker_picture_read(worker_pool *pool, const worker_picture_ask *ask, atg_arena *arena,
                        worker_picture *ret, atg_err *err);

/* ---- faces ---- */

enum {
    WORKER_FACES_MAX = 32,     /* told of one picture: the best ones */
    WORKER_TEMPLATE_MAX = 512, /* numbers of an embedding */
    WORKER_MARKS = 10,         /* x and y of five landmarks */
    WORKER_MODEL = 32,         /* bytes of a network's SHA-256 */
    WORKER_PIPELINE = 1,       /* version of detection, alignment and preprocessing */
};

/* Which of the faces that are found become templates. */
typedef enum worker_face_pick {
    WORKER_FACE_NONE,   /* they are only found and assessed */
    WORKER_FACE_BEST,   /* the one that is meant, where that is plain (worker_faces.chosen) */
    WORKER_FACE_ALL,    /* each */
    WORKER_FACE_PLACED, /* nothing is looked for: an operator placed the landmarks */
} worker_face_pick;

typedef struct worker_face_ask {
    worker_input in;      /* a picture as worker_picture_read() takes it */
    uint32_t deadline_ms; /* 0: 30 s */
    uint64_t pixels;      /* refuse more than so many; 0: 100 million */
    worker_face_pick pick;
    bool aligned;               /* give the aligned faces of those that are picked, too */
    double marks[WORKER_MARKS]; /* for WORKER_FACE_PLACED, as in worker_face */
} worker_face_ask;

/* Pixels are those of the upright picture, from its upper left corner, y down. */
typedef struct worker_face {
    double centre[2], width, height, angle; /* of the box; radians, clockwise as seen */
    double marks[WORKER_MARKS]; /* eye on the picture's left when the face is upright, other eye,
                                   nose, corner of the mouth on the picture's left, other corner */
    double score;               /* of the detector, 0 to 1; 1 where landmarks were placed */
    /* as face_quality (src/face/quality.h), whose bits `refused` and `cautions` are */
    uint32_t refused, cautions;
    double eye_distance, sharpness, yaw, pitch, roll, brightness, burnt, contrast, eyes[2], outside,
        misfit;
    /* Of those that are picked and not refused; dimension 0: none.  What made a template belongs
     * to it: those of other models and pipelines are never compared with it. */
    unsigned char model[WORKER_MODEL];
    uint32_t pipeline, dimension;
    float template[WORKER_TEMPLATE_MAX]; /* unit length */
    atg_str aligned;                     /* PNG, 112 x 112, in the arena; empty: not asked for */
} worker_face;

typedef struct worker_faces {
    worker_format format;    /* of the file */
    uint32_t width, height;  /* upright */
    uint32_t n;              /* best first */
    const worker_face *face; /* in the arena */
    int32_t chosen;          /* the one that is meant; -1: none, or somebody must choose */
} worker_faces;

/* Find faces.  A picture without any is no failure.  ATG_ENOTFOUND, with what to do: the pool's
 * workers have no networks.  Whoever calls seals what comes back as the picture itself. */
int worker_faces_read(worker_pool *pool, const worker_face_ask *ask, atg_arena *arena,
                      worker_faces *ret, atg_err *err);

/* ---- files that are parsed ---- */

typedef enum worker_parse_kind {
    WORKER_PARSE_OPERATION, /* an operation file, a .fam; or genotypes and what they are read with
                             */
    WORKER_PARSE_PROFILES,  /* genotype table or CMF alone: rows of genotypes */
    WORKER_PARSE_TABLE,     /* any table of separated values: rows of texts */
    WORKER_PARSE_BUNDLE,    /* a bundle: are its parts whole?  Nothing is opened */
} worker_parse_kind;

/* As atg_mutation (antigone/marker.h), without matrices. */
typedef struct worker_mutation {
    uint32_t model;
    double rate, rate2, range;
} worker_mutation;

typedef struct worker_parse_ask {
    worker_parse_kind kind;
    uint32_t n; /* files, 1 to WORKER_INPUTS_MAX */
    const worker_input *in;
    uint32_t deadline_ms;  /* 0: 60 s */
    uint64_t out_max;      /* refuse a longer answer; 0: WORKER_INPUT_MAX */
    const worker_sink *to; /* NULL: into the arena */
    /* WORKER_PARSE_OPERATION from tables: one file of frequencies is among the files */
    atg_str population;
    double theta, min_frequency;
    worker_mutation female, male;
} worker_parse_ask;

typedef struct worker_parsed {
    atg_str json;  /* docs/worker.md, section 5; empty when it went to a sink */
    uint64_t size; /* its bytes */
    uint32_t n_notes;
    atg_str *notes; /* what was repaired and what the user ought to know, a sentence each */
} worker_parsed;

/* A file that is refused: `err` has line and column, and names the file where there are several. */
int worker_parse(worker_pool *pool, const worker_parse_ask *ask, atg_arena *arena,
                 worker_parsed *ret, atg_err *err);

#endif
