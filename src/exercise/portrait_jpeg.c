/* SPDX-License-Identifier: Apache-2.0 */
/* A baseline JPEG (ISO/IEC 10918-1): three components of full size, one pair of Huffman tables. */
#include <antigone/portrait.h>

#include <string.h>

enum { SIDE = 8, BLOCK = 64, COMPONENTS = 3, SIDE_MAX = 65535 };

/* Table K.1, scaled to quality 90, used for all three components. */
static const uint8_t quantum[BLOCK] = {
    3,  2,  2,  3,  5,  8,  10, 12, 2,  2,  3,  4,  5,  12, 12, 11, 3,  3,  3,  5, 8,  11,
    14, 11, 3,  3,  4,  6,  10, 17, 16, 12, 4,  4,  7,  11, 14, 22, 21, 15, 5,  7, 11, 13,
    16, 21, 23, 18, 10, 13, 16, 17, 21, 24, 24, 20, 14, 18, 19, 20, 22, 20, 21, 20};

static const uint8_t zigzag[BLOCK] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

/* Tables K.3 and K.5: numbers of codes of each length, and what they stand for. */
static const uint8_t dc_lengths[16] = {0, 1, 5, 1, 1, 1, 1, 1, 1};
static const uint8_t dc_values[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
static const uint8_t ac_lengths[16] = {0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7d};
static const uint8_t ac_values[] = {
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61,
    0x07, 0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52,
    0xd1, 0xf0, 0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25,
    0x26, 0x27, 0x28, 0x29, 0x2a, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45,
    0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64,
    0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x83,
    0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
    0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6,
    0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3,
    0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8,
    0xe9, 0xea, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa};

/* c(u) / 2 * cos((2 x + 1) u pi / 16) by u and x, of A.3.3. */
static const float cosines[SIDE][SIDE] = {
    {.353553391F, .353553391F, .353553391F, .353553391F, .353553391F, .353553391F, .353553391F,
     .353553391F},
    {.490392640F, .415734806F, .277785117F, .097545161F, -.097545161F, -.277785117F, -.415734806F,
     -.490392640F},
    {.461939766F, .191341716F, -.191341716F, -.461939766F, -.461939766F, -.191341716F, .191341716F,
     .461939766F},
    {.415734806F, -.097545161F, -.490392640F, -.277785117F, .277785117F, .490392640F, .097545161F,
     -.415734806F},
    {.353553391F, -.353553391F, -.353553391F, .353553391F, .353553391F, -.353553391F, -.353553391F,
     .353553391F},
    {.277785117F, -.490392640F, .097545161F, .415734806F, -.415734806F, -.097545161F, .490392640F,
     -.277785117F},
    {.191341716F, -.461939766F, .461939766F, -.191341716F, -.191341716F, .461939766F, -.461939766F,
     .191341716F},
    {.097545161F, -.277785117F, .415734806F, -.490392640F, .490392640F, -.415734806F, .277785117F,
     -.097545161F},
};

typedef struct code {
    uint16_t bits;
    uint8_t n;
} code;

typedef struct writer {
    atg_buf *buf;
    code dc[256], ac[256];
    uint32_t held;
    int n_held;
    unsigned char out[4096];
    size_t n_out;
} writer;

static void flush(writer *w) {
    atg_buf_add(w->buf, (atg_str){(const char *)w->out, w->n_out});
    w->n_out = 0;
}

static void put(writer *w, const uint8_t *bytes, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (w->n_out == sizeof(w->out))
            flush(w);
        w->out[w->n_out++] = bytes[i];
    }
}

static void put_byte(writer *w, unsigned byte) {
    const uint8_t b = (uint8_t)byte;

    put(w, &b, 1);
}

/* At most 16 bits; a byte of ones is followed by a zero. */
static void put_bits(writer *w, uint32_t bits, int n) {
    w->held = w->held << n | bits;
    w->n_held += n;
    while (w->n_held >= 8) {
        unsigned byte = w->held >> (w->n_held - 8) & 255;

        put_byte(w, byte);
        if (byte == 255)
            put_byte(w, 0);
        w->n_held -= 8;
    }
    w->held &= (1U << w->n_held) - 1;
}

static void make_codes(const uint8_t lengths[16], const uint8_t *values, code *ret) {
    uint16_t next = 0;

    for (uint8_t n = 1; n <= 16; n++, next = (uint16_t)(next << 1))
        for (uint8_t i = 0; i < lengths[n - 1]; i++)
            ret[*values++] = (code){next++, n};
}

/* ---- headers ---- */

static void put_table(writer *w, unsigned class, const uint8_t lengths[16], const uint8_t *values,
                      size_t n) {
    const uint8_t head[] = {0xff, 0xc4, 0, (uint8_t)(19 + n), (uint8_t) class};

    put(w, head, sizeof(head));
    put(w, lengths, 16);
    put(w, values, n);
}

static void put_headers(writer *w, uint32_t width, uint32_t height) {
    static const uint8_t jfif[] = {0xff, 0xd8, 0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F',
                                   0,    1,    2,    0,    0, 1,  0,   1,   0,   0};
    static const uint8_t tables[] = {0xff, 0xdb, 0, 3 + BLOCK, 0};
    static const uint8_t scan[] = {0xff, 0xda, 0, 12, COMPONENTS, 1, 0, 2, 0, 3, 0, 0, 63, 0};
    const uint8_t frame[] = {0xff,
                             0xc0,
                             0,
                             17,
                             8,
                             (uint8_t)(height >> 8),
                             (uint8_t)height,
                             (uint8_t)(width >> 8),
                             (uint8_t)width,
                             COMPONENTS,
                             1,
                             0x11,
                             0,
                             2,
                             0x11,
                             0,
                             3,
                             0x11,
                             0};

    put(w, jfif, sizeof(jfif));
    put(w, tables, sizeof(tables));
    for (int i = 0; i < BLOCK; i++)
        put_byte(w, quantum[zigzag[i]]);
    put(w, frame, sizeof(frame));
    put_table(w, 0x00, dc_lengths, dc_values, sizeof(dc_values));
    put_table(w, 0x10, ac_lengths, ac_values, sizeof(ac_values));
    put(w, scan, sizeof(scan));
}

/* ---- blocks ---- */

/* One component of a block, about 0; beyond the edges the last pixels again. */
static void take(const uint8_t *rgb, const uint32_t size[2], const uint32_t at[2], int component,
                 float ret[BLOCK]) {
    static const float of[COMPONENTS][4] = {{.299F, .587F, .114F, -128},
                                            {-.168735892F, -.331264108F, .5F, 0},
                                            {.5F, -.418687589F, -.081312411F, 0}};
    const float *k = of[component];

    for (uint32_t y = 0; y < SIDE; y++)
        for (uint32_t x = 0; x < SIDE; x++) {
            size_t px = at[0] + x < size[0] ? at[0] + x : size[0] - 1;
            size_t py = at[1] + y < size[1] ? at[1] + y : size[1] - 1;
            const uint8_t *p = rgb + 3 * (py * size[0] + px);

            ret[SIDE * y + x] = k[0] * (float)p[0] + k[1] * (float)p[1] + k[2] * (float)p[2] + k[3];
        }
}

static void transform(float block[BLOCK]) {
    float half[BLOCK];

    for (int y = 0; y < SIDE; y++)
        for (int u = 0; u < SIDE; u++) {
            float sum = 0;

            for (int x = 0; x < SIDE; x++)
                sum += block[SIDE * y + x] * cosines[u][x];
            half[SIDE * y + u] = sum;
        }
    for (int v = 0; v < SIDE; v++)
        for (int u = 0; u < SIDE; u++) {
            float sum = 0;

            for (int y = 0; y < SIDE; y++)
                sum += half[SIDE * y + u] * cosines[v][y];
            block[SIDE * v + u] = sum;
        }
}

static int size_of(int x) {
    int n = 0;

    for (x = x < 0 ? -x : x; x; x >>= 1)
        n++;
    return n;
}

/* A number as F.1.2.1 writes it after its size. */
static void put_number(writer *w, int x, int n) {
    put_bits(w, (uint32_t)(x < 0 ? x + (1 << n) - 1 : x), n);
}

static void put_block(writer *w, const float block[BLOCK], int *before) {
    int level[BLOCK], n, run = 0;

    for (int i = 0; i < BLOCK; i++) {
        float x = block[zigzag[i]] / (float)quantum[zigzag[i]];

        level[i] = (int)(x < 0 ? x - .5F : x + .5F);
    }
    n = size_of(level[0] - *before);
    put_bits(w, w->dc[n].bits, w->dc[n].n);
    put_number(w, level[0] - *before, n);
    *before = level[0];
    for (int i = 1; i < BLOCK; i++) {
        if (level[i] == 0) {
            run++;
            continue;
        }
        for (; run > 15; run -= 16)
            put_bits(w, w->ac[0xf0].bits, w->ac[0xf0].n);
        n = size_of(level[i]);
        put_bits(w, w->ac[run << 4 | n].bits, w->ac[run << 4 | n].n);
        put_number(w, level[i], n);
        run = 0;
    }
    if (run)
        put_bits(w, w->ac[0].bits, w->ac[0].n);
}

int atg_portrait_jpeg(const uint8_t *rgb, uint32_t width, uint32_t height, atg_buf *buf,
                      atg_err *err) {
    const uint32_t size[2] = {width, height};
    int before[COMPONENTS] = {0};
    writer w = {.buf = buf};
    atg_str done;

    if (width < 1 || height < 1 || width > SIDE_MAX || height > SIDE_MAX)
        return atg_fail(err, ATG_EINVAL, "A JPEG has 1 to %d pixels each way, not %u x %u",
                        SIDE_MAX, width, height);
    make_codes(dc_lengths, dc_values, w.dc);
    make_codes(ac_lengths, ac_values, w.ac);
    put_headers(&w, width, height);
    for (uint32_t y = 0; y < height; y += SIDE)
        for (uint32_t x = 0; x < width; x += SIDE)
            for (int c = 0; c < COMPONENTS; c++) {
                const uint32_t at[2] = {x, y};
                float block[BLOCK];

                take(rgb, size, at, c, block);
                transform(block);
                put_block(&w, block, &before[c]);
            }
    if (w.n_held)
        put_bits(&w, (1U << (8 - w.n_held)) - 1, 8 - w.n_held);
    put_byte(&w, 0xff);
    put_byte(&w, 0xd9);
    flush(&w);
    return atg_buf_take(buf, &done, err);
}
