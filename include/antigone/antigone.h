/* SPDX-License-Identifier: Apache-2.0 */
/** @file antigone/antigone.h  Everything of libantigone. */
#ifndef ATG_ANTIGONE_H
#define ATG_ANTIGONE_H

#include <antigone/app.h>
#include <antigone/assign.h>
#include <antigone/base.h>
#include <antigone/check.h>
#include <antigone/direct.h>
#include <antigone/dna.h>
#include <antigone/exercise.h>
#include <antigone/formats.h>
#include <antigone/identification.h>
#include <antigone/line.h>
#include <antigone/lineage.h>
#include <antigone/marker.h>
#include <antigone/operation.h>
#include <antigone/pedigree.h>
#include <antigone/portrait.h>
#include <antigone/reference.h>
#include <antigone/report.h>
#include <antigone/scan.h>

#endif
