/* SPDX-License-Identifier: Apache-2.0 */
/* Where the networks for faces and the library that runs them are on this machine
 * (docs/models.md).  Finding reads manifests alone; who loads a network checks its SHA-256. */
#ifndef ATG_APP_NETWORKS_H
#define ATG_APP_NETWORKS_H

#include "formats/facemodel.h"
#include "ipc/worker.h"

enum {
    NETWORKS_FOLDERS = 12, /* looked through */
    NETWORKS_MODELS = 64,  /* manifests told of */
    NETWORKS_PATH = 1024,
};

/* Folders in the order in which they are looked through. */
typedef struct networks_places {
    uint32_t n;
    char folder[NETWORKS_FOLDERS][NETWORKS_PATH];
} networks_places;

/* "models" in the store's folder (NULL: none), those of $ANTIGONE_MODELS (colons between them),
 * of a checkout that this program was built in, and the one of the package. */
void networks_places_of(const char *store, networks_places *ret);

typedef struct networks_model {
    facemodel m;
    atg_str manifest; /* its path, ended by NUL; empty: this entry is only `trouble` */
    atg_str file;     /* the network's path, so too; empty: it is not installed */
    atg_str trouble;  /* why a manifest or a file is not used; empty: nothing is wrong */
} networks_model;

typedef struct networks_list {
    uint32_t n;
    networks_model *model;
} networks_list;

/* Every manifest of the folders, and the file of its name and size in any of them.  Of manifests
 * with the same SHA-256 the first one counts.  A folder that is not there has none. */
int networks_find(atg_arena *arena, const networks_places *places, networks_list *ret,
                  atg_err *err);

/* The path of the library of ONNX Runtime: $ANTIGONE_ONNXRUNTIME, the system's, the one of
 * tools/setup.sh, /usr/lib/antigone.  ATG_ENOTFOUND with what to do. */
int networks_runtime(char *ret, size_t size, atg_err *err);

/* The first network of a kind that is installed; NULL: none is. */
const networks_model *networks_first(const networks_list *list, facemodel_kind kind);

/* What templates of these two networks are told apart from others by: a hash of both SHA-256. Where
 * another detector finds the landmarks, the same embedder gives other embeddings. */
void networks_identity(const facemodel *detector, const facemodel *embedder,
                       uint8_t ret[FACEMODEL_SHA]);

/* All that a pool of workers needs: the first detector and the first embedder that are installed,
 * and the library.  Paths are in the arena.  ATG_ENOTFOUND with what to do. */
int networks_choose(atg_arena *arena, const char *store, worker_networks *ret, atg_err *err);

/* Put a manifest and its network's bytes, which are checked, into a folder, which is made where it
 * is missing. */
int networks_install(const facemodel *m, atg_str manifest, atg_str bytes, const char *folder,
                     atg_err *err);

#endif
