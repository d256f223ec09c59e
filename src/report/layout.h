/* SPDX-License-Identifier: Apache-2.0 */
/* Where the persons of a pedigree stand when it is drawn: generations as rows, couples side by
 * side, brothers and sisters under their parents, few lines crossing. */
#ifndef ATG_REPORT_LAYOUT_H
#define ATG_REPORT_LAYOUT_H

#include <antigone/pedigree.h>

/* A person, or a point where a line passes a row on its way to a deeper one. */
typedef struct layout_node {
    int32_t person;  /* -1: a passing line */
    int32_t parents; /* union that it comes from; -1 */
    uint32_t row;
    uint32_t column; /* place in the row, from the left */
    double x;        /* 1 is the distance of two neighbours */
} layout_node;

/* A couple with children, or a passing line with what comes after it. */
typedef struct layout_union {
    int32_t mates[2]; /* nodes of one row; the second is -1 for a passing line */
    uint32_t n_children;
    const uint32_t *children; /* nodes of the next row */
    bool related;             /* of one blood: a double line */
    bool mating; /* a line of a couple, not of descent, that reaches down to the other's row */
    bool beside; /* the two are neighbours: a straight line joins them */
    double x;    /* where the line to the children leaves */
    uint32_t couple_track; /* level of the line that joins two who are not neighbours */
    uint32_t bar_track;    /* level of the bar above the children; 0 is the nearest to them */
} layout_union;

typedef struct layout {
    uint32_t n_nodes, n_unions, n_rows;
    layout_node *nodes;
    layout_union *unions;
    uint32_t *row_start;                  /* n_rows + 1 */
    uint32_t *order;                      /* nodes, row by row, from the left */
    uint32_t *couple_tracks, *bar_tracks; /* per row: levels used below it */
    double width;                         /* largest x + 1; the smallest x is 0.5 */
} layout;

/* ATG_ELIMIT for a pedigree whose lines would pass too many rows. */
int layout_pedigree(atg_arena *arena, const atg_pedigree *ped, layout *ret, atg_err *err);

/* The steps of layout_pedigree, in this order. */
int layout_graph(atg_arena *arena, const atg_pedigree *ped, layout *ret, atg_err *err);
int layout_order(atg_arena *arena, layout *l, atg_err *err);
int layout_tracks(atg_arena *arena, layout *l, atg_err *err);

/* Middle between the mates, and of the children. */
double layout_couple_x(const layout *l, const layout_union *u);
double layout_children_x(const layout *l, const layout_union *u);

#endif
