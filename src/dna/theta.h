/* SPDX-License-Identifier: Apache-2.0 */
/* The sequential sampling formula as an integral.  Alleles drawn one after another by
 * P(next = a | m seen, b of them a) = (b theta + (1 - theta) p_a) / (1 + (m - 1) theta) are
 * independent given frequencies q from a Dirichlet distribution with parameters
 * p_a (1 - theta) / theta.  Stick-breaking turns it into independent Beta variables, and a
 * likelihood with F founder alleles is a polynomial of degree F in each: Gauss-Jacobi rules with
 * F / 2 + 1 nodes integrate it exactly.  Alleles that are known, of typed founders, need no
 * integral: they are added to the parameters (the Dirichlet distribution is conjugate). */
#ifndef ATG_DNA_THETA_H
#define ATG_DNA_THETA_H

#include "dna/view.h"

enum { THETA_NODES_MAX = 4 * 1000 * 1000 };

/* Called once per node with the frequencies of the classes and the node's weight. */
typedef int theta_fn(void *user, const double *freq, double weight, atg_err *err);

/* Nodes that theta_integrate() would go through. */
double theta_nodes(const view *v, double theta, const double *known, uint32_t degree);

/* The distribution as an urn (dna/urn.h): its total mass, and in `freq` its base distribution. */
double theta_mass(const view *v, double theta, const double *known, double *freq);

/* `known`: per class the alleles drawn already, or NULL; theta 0: one call with the classes' own
 * frequencies. */
int theta_integrate(const view *v, double theta, const double *known, uint32_t degree, theta_fn *fn,
                    void *user, atg_err *err);

/* Log probability of drawing the known alleles one after another, in a given order. */
double theta_log_known(const view *v, double theta, const double *known);

#endif
