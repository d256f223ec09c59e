/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <libxml/xmlreader.h>

#include "base/text.h"
#include "formats/profile.h"

/* CODIS Import CMF 3.2, "CODIS-32 Appendix B" (schema urn:CODISImportFile-schema). */

enum { TEXT_MAX = 512, LINE_MAX_16 = 65535, ALLELES_PER_LOCUS = 8 };

typedef enum element {
    NOTHING = 0,
    CODISIMPORTFILE,
    HEADERVERSION,
    MESSAGETYPE,
    DESTINATIONORI,
    SOURCELAB,
    SUBMITBYUSERID,
    SUBMITDATETIME,
    BATCHID,
    KIT,
    SPECIMEN,
    SPECIMENID,
    SPECIMENCATEGORY,
    SPECIMENCOMMENT,
    LOCUS,
    LOCUSNAME,
    READINGBY,
    READINGDATETIME,
    ALLELE,
    ALLELEVALUE,
} element;

static const struct {
    const char *name;
    element parent;
} elements[] = {
    [NOTHING] = {"", NOTHING},
    [CODISIMPORTFILE] = {"CODISImportFile", NOTHING},
    [HEADERVERSION] = {"HEADERVERSION", CODISIMPORTFILE},
    [MESSAGETYPE] = {"MESSAGETYPE", CODISIMPORTFILE},
    [DESTINATIONORI] = {"DESTINATIONORI", CODISIMPORTFILE},
    [SOURCELAB] = {"SOURCELAB", CODISIMPORTFILE},
    [SUBMITBYUSERID] = {"SUBMITBYUSERID", CODISIMPORTFILE},
    [SUBMITDATETIME] = {"SUBMITDATETIME", CODISIMPORTFILE},
    [BATCHID] = {"BATCHID", CODISIMPORTFILE},
    [KIT] = {"KIT", CODISIMPORTFILE},
    [SPECIMEN] = {"SPECIMEN", CODISIMPORTFILE},
    [SPECIMENID] = {"SPECIMENID", SPECIMEN},
    [SPECIMENCATEGORY] = {"SPECIMENCATEGORY", SPECIMEN},
    [SPECIMENCOMMENT] = {"SPECIMENCOMMENT", SPECIMEN},
    [LOCUS] = {"LOCUS", SPECIMEN},
    [LOCUSNAME] = {"LOCUSNAME", LOCUS},
    [READINGBY] = {"READINGBY", LOCUS},
    [READINGDATETIME] = {"READINGDATETIME", LOCUS},
    [ALLELE] = {"ALLELE", LOCUS},
    [ALLELEVALUE] = {"ALLELEVALUE", ALLELE},
};

/* What a specimen's category makes of it. */
typedef enum kind { REMAINS, RELATIVE, ELIMINATION, MISSING, DEDUCED } kind;

static const struct {
    const char *category;
    kind kind;
} categories[] = {
    {"Unidentified Person", REMAINS},
    {"Unidentified Human (Remains)", REMAINS},
    {"Unidentified Human Remains", REMAINS},
    {"Unidentified Remains", REMAINS},
    {"Biological Mother", RELATIVE},
    {"Biological Father", RELATIVE},
    {"Biological Child", RELATIVE},
    {"Biological Sibling", RELATIVE},
    {"Alleged Mother", RELATIVE},
    {"Alleged Father", RELATIVE},
    {"Maternal Relative", RELATIVE},
    {"Paternal Relative", RELATIVE},
    {"Spouse", RELATIVE},
    {"Staff", ELIMINATION},
    {"Elimination, Known", ELIMINATION},
    {"Missing Person", MISSING},
    {"Deduced Missing Person", DEDUCED},
};

typedef struct cmf {
    atg_arena *arena;
    atg_notes *notes;
    atg_err *err;
    atg_err syntax; /* the first thing that libxml2 found */
    xmlTextReaderPtr xml;
    profile_set set;
    element at;
    char text[TEXT_MAX];
    size_t n;
    /* the specimen in hand */
    uint32_t specimen_line;
    atg_str id, category, case_id;
    bool partial;
    kind kind;
    profile *profile; /* once its first locus has come */
    /* the locus in hand */
    uint32_t locus_line;
    struct atg_profile_call call;
    uint16_t marker;
    uint32_t n_alleles, n_off;
} cmf;

static int nomem(cmf *c) {
    return atg_fail(c->err, ATG_ENOMEM, "Out of memory reading a CMF file");
}

/* libxml2 keeps 16 bits of an element's line; beyond, the parser is at most a little ahead. */
static uint32_t line_of(const cmf *c) {
    xmlNodePtr node = xmlTextReaderCurrentNode(c->xml);
    long line = node ? xmlGetLineNo(node) : -1;

    if (line > 0 && line < LINE_MAX_16)
        return (uint32_t)line;
    line = xmlTextReaderGetParserLineNumber(c->xml);
    return line > 0 ? (uint32_t)line : 0;
}

static void on_error(void *user, xmlErrorPtr error) {
    cmf *c = user;
    atg_str text = atg_str_trim(atg_str_of(error->message));

    if (c->syntax.code || error->level < XML_ERR_ERROR)
        return;
    (void)atg_fail_at(&c->syntax, error->code == XML_ERR_NO_MEMORY ? ATG_ENOMEM : ATG_EPARSE,
                      error->line > 0 ? (uint32_t)error->line : 0,
                      error->int2 > 0 ? (uint32_t)error->int2 : 0, "This is not good XML: %.*s",
                      text.n > 200 ? 200 : (int)text.n, text.n ? text.p : "");
}

static int fail_syntax(cmf *c) {
    const atg_err *e = &c->syntax;

    if (!e->code)
        return atg_fail(c->err, ATG_EPARSE, "This is not good XML");
    return e->code == ATG_ENOMEM ? nomem(c)
                                 : atg_fail_at(c->err, e->code, e->line, e->col, "%s", e->msg);
}

static int take_attribute(cmf *c, const char *name, atg_str *ret) {
    xmlChar *value = xmlTextReaderGetAttribute(c->xml, (const xmlChar *)name);
    atg_str copy = {"", 0};

    if (value) {
        copy = atg_arena_str(c->arena, atg_str_trim(atg_str_of((const char *)value)));
        xmlFree(value);
    }
    if (!copy.p)
        return nomem(c);
    *ret = copy;
    return ATG_OK;
}

static int start_specimen(cmf *c) {
    atg_str partial = {0};
    int rc = take_attribute(c, "CASEID", &c->case_id);

    if (!rc)
        rc = take_attribute(c, "PARTIAL", &partial);
    if (rc)
        return rc;
    c->partial = atg_str_eq(partial, ATG_STR("true")) || atg_str_eq(partial, ATG_STR("1"));
    c->specimen_line = line_of(c);
    c->id = c->category = (atg_str){0};
    c->profile = NULL;
    return ATG_OK;
}

/* The kind by the category; everybody else's profile has no business here. */
static int find_kind(cmf *c) {
    for (size_t i = 0; i < sizeof(categories) / sizeof(*categories); i++) {
        if (!atg_str_eq_nocase(c->category, atg_str_of(categories[i].category)))
            continue;
        c->kind = categories[i].kind;
        if (c->kind != DEDUCED)
            return ATG_OK;
        return atg_fail_at(c->err, ATG_EPARSE, c->specimen_line, 0,
                           "%.*s is a profile that was deduced from relatives; enter the profiles "
                           "of those relatives, who say more",
                           ATG_FMT(c->id));
    }
    return atg_fail_at(
        c->err, ATG_EPARSE, c->specimen_line, 0,
        "%.*s has the category \"%.*s\"; only unidentified persons, relatives of the "
        "missing and staff are read, never suspects, offenders or victims of crime",
        ATG_FMT(c->id), ATG_FMT(c->category));
}

/* What the user ought to know of a specimen, said once. */
static void note_specimen(cmf *c, atg_str family) {
    if (c->kind == MISSING)
        atg_note(c->notes, c->arena,
                 "%.*s (line %u) is a missing person's own profile; it is an own sample of that "
                 "person, in family %.*s",
                 ATG_FMT(c->id), c->specimen_line, ATG_FMT(family));
    if (c->kind == RELATIVE)
        atg_note(c->notes, c->arena,
                 "%.*s (line %u) is a relative, \"%.*s\", of family %.*s; CMF has no pedigrees: "
                 "enter how this person is related to whom",
                 ATG_FMT(c->id), c->specimen_line, ATG_FMT(c->category), ATG_FMT(family));
    if (c->partial)
        atg_note(c->notes, c->arena,
                 "%.*s (line %u) is marked partial: where it has one allele, the other is taken as "
                 "unread",
                 ATG_FMT(c->id), c->specimen_line);
}

/* Make the row of the specimen, once it has an id and a category. */
static int begin_profile(cmf *c) {
    atg_profile_row row = {.id = c->id, .line = c->specimen_line};
    uint32_t before = c->set.n;
    int rc;

    if (c->id.n == 0 || c->category.n == 0)
        return atg_fail_at(c->err, ATG_EPARSE, c->specimen_line, 0,
                           "This specimen has no %s before its loci",
                           c->id.n ? "SPECIMENCATEGORY" : "SPECIMENID");
    rc = find_kind(c);
    if (rc)
        return rc;
    if (c->kind == MISSING)
        row.missing = c->id;
    if (c->kind == RELATIVE || c->kind == MISSING)
        row.family = c->case_id.n ? c->case_id : c->id;
    row.staff = c->kind == ELIMINATION;
    rc = profile_set_row(&c->set, &row, &c->profile);
    if (!rc && c->set.n > before)
        note_specimen(c, row.family);
    return rc;
}

static int start_locus(cmf *c) {
    c->locus_line = line_of(c);
    c->call = (struct atg_profile_call){.a = {"", 0}, .b = {"", 0}, .line = c->locus_line};
    c->n_alleles = c->n_off = 0;
    return c->profile ? ATG_OK : begin_profile(c);
}

static int end_locus(cmf *c) {
    if (c->call.marker.n == 0)
        return atg_fail_at(c->err, ATG_EPARSE, c->locus_line, 0, "This locus of %.*s has no name",
                           ATG_FMT(c->id));
    if (c->n_off)
        atg_note(c->notes, c->arena,
                 "%.*s (line %u) has an allele outside the ladder at %.*s; it is taken as unread",
                 ATG_FMT(c->id), c->locus_line, ATG_FMT(c->call.marker));
    if (c->call.a.n == 0)
        return ATG_OK;
    if (c->call.b.n == 0 && (c->partial || c->n_off))
        c->call.b = ATG_STR("-");
    return profile_add(&c->set, c->profile, c->marker, &c->call);
}

static int take_value(cmf *c, atg_str text) {
    char room[ATG_LABEL_MAX + 1];
    atg_str label;
    allele_kind read = allele_read(text, room, &label);

    if (++c->n_alleles > 2)
        return atg_fail_at(c->err, ATG_EPARSE, line_of(c), 0,
                           "%.*s has more than two alleles at %.*s: leave a mixture out; of a "
                           "tri-allelic person leave this locus out",
                           ATG_FMT(c->id), ATG_FMT(c->call.marker));
    if (read == ALLELE_OFF || read == ALLELE_UNREAD) {
        c->n_off++;
        return ATG_OK;
    }
    if (read != ALLELE_READ)
        return atg_fail_at(c->err, ATG_EPARSE, line_of(c), 0,
                           "\"%.*s\" of %.*s at %.*s is no allele", ATG_FMT(text), ATG_FMT(c->id),
                           ATG_FMT(c->call.marker));
    label = atg_arena_str(c->arena, label);
    if (!label.p)
        return nomem(c);
    if (c->call.a.n)
        c->call.b = label;
    else
        c->call.a = label;
    return ATG_OK;
}

static int take_version(cmf *c, atg_str text) {
    if (text.n >= 2 && memcmp(text.p, "3.", 2) == 0)
        return ATG_OK;
    return atg_fail_at(c->err, ATG_EPARSE, line_of(c), 0,
                       "This is CMF version %.*s; versions 3.2 and 3.3 are read", ATG_FMT(text));
}

static int take_marker(cmf *c, atg_str text) {
    c->call.marker = text;
    return profile_set_marker(&c->set, text, line_of(c), 0, &c->marker);
}

/* An element ends; its text is complete. */
static int end_element(cmf *c) {
    atg_str text = atg_str_trim((atg_str){c->text, c->n});
    bool kept = c->at == SPECIMENID || c->at == SPECIMENCATEGORY || c->at == LOCUSNAME;
    int rc = ATG_OK;

    if (kept) {
        text = atg_arena_str(c->arena, text);
        if (!text.p)
            return nomem(c);
    }
    if (c->at == HEADERVERSION)
        rc = take_version(c, text);
    else if (c->at == SPECIMENID)
        c->id = text;
    else if (c->at == SPECIMENCATEGORY)
        c->category = text;
    else if (c->at == LOCUSNAME)
        rc = take_marker(c, text);
    else if (c->at == ALLELEVALUE)
        rc = take_value(c, text);
    else if (c->at == LOCUS)
        rc = end_locus(c);
    else if (c->at == SPECIMEN && !c->profile)
        rc = begin_profile(c);
    c->n = 0;
    c->at = elements[c->at].parent;
    return rc;
}

static int start_element(cmf *c) {
    const char *name = (const char *)xmlTextReaderConstLocalName(c->xml);
    element found = NOTHING;

    for (size_t i = 1; i < sizeof(elements) / sizeof(*elements); i++)
        if (name && elements[i].parent == c->at && strcmp(elements[i].name, name) == 0)
            found = (element)i;
    if (!found && c->at == NOTHING)
        return atg_fail_at(c->err, ATG_EPARSE, line_of(c), 0,
                           "The outermost element is <%.60s>; a CMF file starts with "
                           "<CODISImportFile>",
                           name ? name : "");
    if (!found)
        return atg_fail_at(c->err, ATG_EPARSE, line_of(c), 0,
                           "<%.60s> does not belong into <%s>; CMF 3.2 is read, and no other form",
                           name ? name : "", elements[c->at].name);
    c->at = found;
    c->n = 0;
    if (found == SPECIMEN)
        return start_specimen(c);
    return found == LOCUS ? start_locus(c) : ATG_OK;
}

static int add_text(cmf *c) {
    const char *value = (const char *)xmlTextReaderConstValue(c->xml);
    atg_str text = atg_str_of(value);

    if (text.n > TEXT_MAX - c->n && atg_str_trim(text).n == 0)
        return ATG_OK; /* indentation */
    if (text.n > TEXT_MAX - c->n)
        return atg_fail_at(c->err, ATG_ELIMIT, line_of(c), 0,
                           "The text of <%s> is longer than %d "
                           "bytes",
                           elements[c->at].name, TEXT_MAX);
    memcpy(c->text + c->n, text.p, text.n);
    c->n += text.n;
    return ATG_OK;
}

static int take_node(cmf *c) {
    bool empty;
    int rc;

    switch (xmlTextReaderNodeType(c->xml)) {
    case XML_READER_TYPE_ELEMENT:
        empty = xmlTextReaderIsEmptyElement(c->xml) == 1;
        rc = start_element(c);
        return rc || !empty ? rc : end_element(c);
    case XML_READER_TYPE_END_ELEMENT:
        return end_element(c);
    case XML_READER_TYPE_TEXT:
    case XML_READER_TYPE_CDATA:
        return add_text(c);
    case XML_READER_TYPE_DOCUMENT_TYPE:
    case XML_READER_TYPE_ENTITY:
    case XML_READER_TYPE_ENTITY_REFERENCE:
        return atg_fail_at(c->err, ATG_EPARSE, line_of(c), 0,
                           "The file declares or uses entities, which no CMF file needs; it is not "
                           "read");
    default:
        return ATG_OK;
    }
}

static int read_nodes(cmf *c, uint32_t *ret_n, const atg_profile_row **ret) {
    int rc = ATG_OK, more = xmlTextReaderRead(c->xml);

    while (more == 1 && !rc) {
        rc = take_node(c);
        if (!rc)
            more = xmlTextReaderRead(c->xml);
    }
    if (rc)
        return rc;
    if (more < 0 || c->syntax.code)
        return fail_syntax(c);
    if (c->set.n == 0)
        return atg_fail(c->err, ATG_EPARSE, "The file has no specimens");
    return profile_set_finish(&c->set, ret_n, ret);
}

/* What the parser must not even see: a document type, with which entities come. */
static int look_first(cmf *c, atg_str *bytes, const char **ret_encoding) {
    bool marked = bytes->n >= 2 &&
                  (memcmp(bytes->p, "\xff\xfe", 2) == 0 || memcmp(bytes->p, "\xfe\xff", 2) == 0);
    static const char doctype[] = "<!DOCTYPE";
    const char *from = NULL, *at;
    uint32_t line = 1;
    int rc = ATG_OK;

    *ret_encoding = NULL;
    if (marked) {
        rc = text_utf8(c->arena, *bytes, bytes, &from, c->err);
        *ret_encoding = "UTF-8";
    }
    if (rc)
        return rc;
    if (bytes->n && memchr(bytes->p, '\0', bytes->n))
        return atg_fail(c->err, ATG_EPARSE, "A NUL byte: this is not a text; save it as UTF-8");
    at = bytes->n ? memmem(bytes->p, bytes->n, doctype, sizeof(doctype) - 1) : NULL;
    if (!at)
        return ATG_OK;
    for (const char *p = bytes->p; p < at; p++)
        line += *p == '\n';
    return atg_fail_at(c->err, ATG_EPARSE, line, 0,
                       "The file has a document type (DOCTYPE), which no CMF file needs; it is not "
                       "read");
}

int atg_cmf_read(atg_arena *arena, atg_str bytes, uint32_t *ret_n, const atg_profile_row **ret,
                 atg_notes *notes, atg_err *err) {
    cmf c = {.arena = arena, .notes = notes, .err = err};
    const char *encoding;
    int rc;

    if (bytes.n > ATG_INPUT_MAX)
        return atg_fail(err, ATG_ELIMIT, "The file is larger than %d bytes", ATG_INPUT_MAX);
    if (bytes.n == 0)
        return atg_fail(err, ATG_EPARSE, "The file is empty");
    rc = look_first(&c, &bytes, &encoding);
    if (!rc)
        rc = profile_set_open(&c.set, arena, notes, err);
    if (rc)
        return rc;
    c.xml = xmlReaderForMemory(bytes.p, (int)bytes.n, NULL, encoding,
                               XML_PARSE_NONET | XML_PARSE_BIG_LINES);
    if (!c.xml) {
        rc = nomem(&c);
    } else {
        xmlTextReaderSetStructuredErrorHandler(c.xml, on_error, &c);
        rc = read_nodes(&c, ret_n, ret);
        xmlFreeTextReader(c.xml);
    }
    profile_set_close(&c.set);
    return rc;
}
