/* SPDX-License-Identifier: Apache-2.0 */
#include "server/uploaded.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "server/service_internal.h"

enum { PIECE = 64 << 10 };

static int take_one(request *q, upload_use use, atg_str text, struct uploaded_one *ret,
                    atg_err *err) {
    uuid id;

    *ret = (struct uploaded_one){.fd = -1};
    if (!uuid_read(text, &id))
        return request_refuse(q, PROBLEM_REQUEST, err, "'upload' is the 'id' of an upload");
    return upload_take(q->s->uploads, &q->who, &id, use, &ret->from, &ret->info, err);
}

int uploaded_open(request *q, upload_use use, uint32_t most, uploaded *ret, atg_err *err) {
    atg_str rest = request_query(q, "upload");
    int rc = ATG_OK;

    ret->n = 0;
    if (rest.n && !q->s->uploads)
        return request_refuse(q, PROBLEM_UPLOADS, err, "No uploads are taken here");
    if (rest.n && q->length)
        return request_refuse(q, PROBLEM_REQUEST, err,
                              "Either the query names an upload, or there is a body");
    while (rest.n && !rc) {
        if (ret->n == most)
            return request_refuse(q, PROBLEM_REQUEST, err, "'upload' names %u at most", most);
        /* one that stands twice is used already */
        rc = take_one(q, use, atg_str_cut(&rest, ','), &ret->of[ret->n++], err);
    }
    return rc;
}

void uploaded_close(uploaded *u, bool used) {
    for (uint32_t i = 0; i < u->n; i++) {
        struct uploaded_one *one = &u->of[i];

        if (one->fd >= 0)
            (void)close(one->fd);
        if (used && one->from.e)
            upload_used(&one->from);
        upload_leave(&one->from);
    }
    u->n = 0;
}

static int fill(struct uploaded_one *one, int fd, atg_err *err) {
    MEM_AUTO char *piece = mem_alloc(PIECE);

    if (!piece)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for an upload");
    for (uint64_t at = 0; at < one->info.length;) {
        uint64_t left = one->info.length - at;
        size_t n = left < PIECE ? (size_t)left : PIECE;
        int rc = upload_read(&one->from, at, piece, n, err);

        if (rc)
            return rc;
        for (size_t done = 0; done < n;) {
            ssize_t k = write(fd, piece + done, n - done);

            if (k < 0 && errno != EINTR)
                return atg_fail(err, ATG_ENOMEM, "Out of memory for an upload");
            done += k > 0 ? (size_t)k : 0;
        }
        at += n;
    }
    return ATG_OK;
}

int uploaded_input(uploaded *u, uint32_t i, worker_input *ret, atg_err *err) {
    struct uploaded_one *one = &u->of[i];
    int rc;

    one->fd = memfd_create("antigone", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (one->fd < 0)
        return atg_fail(err, ATG_ENOMEM, "Out of memory or descriptors for an upload");
    rc = fill(one, one->fd, err);
    if (rc == ATG_OK &&
        fcntl(one->fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE))
        rc = atg_fail(err, ATG_ENOMEM, "Out of memory for an upload");
    if (rc == ATG_OK)
        *ret = (worker_input){.fd = one->fd, .name = atg_str_of(one->info.name)};
    return rc;
}
