/*
 * The modules that make a hook's text: template, templates, render.
 */
#include "support/support.h"

#include "base/scope.h"
#include "hook/render.h"
#include "hook/signature.h"
#include "hook/template.h"
#include "hook/templates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* template. The values: name=pt; two gpus, n=0 and n=1, each with two parts, p=a and p=b; none. */

static struct values *make_values(void)
{
    static const char *const parts[] = {"a", "b"};
    struct values *root = values_new();

    values_text(root, "name", "pt");
    values_text(root, "odd", "@name@ @each x@\n");
    values_text(root, "empty", "");
    for (int i = 0; i < 2; i++) {
        struct values *gpu = values_each(root, "gpus");
        values_textf(gpu, "n", "%d", i);
        for (size_t p = 0; p < 2; p++)
            values_text(values_each(gpu, "parts"), "p", parts[p]);
    }
    values_text(values_each(root, "inner"), "name", "inner");
    return root;
}

static const struct {
    const char *text, *filled;
} fillings[] = {
    {"", ""},
    {"plain\n", "plain\n"},
    {"@name@", "pt"},
    {"a @name@@name@ b\n", "a ptpt b\n"},
    {"@empty@|", "|"},
    {"a@b.c @ @@ @1@ @Name@ @na me@ @", "a@b.c @ @@ @1@ @Name@ @na me@ @"},
    {"@@name@@", "@pt@"},
    {"@odd@", "@name@ @each x@\n"},
    {"@each gpus@\nGPU @n@\n@end gpus@\n", "GPU 0\nGPU 1\n"},
    {"@each gpus@ @n@@end gpus@\n", " 0 1\n"},
    {"[@each gpus@@name@@n@@end gpus@]", "[pt0pt1]"},
    {"@each gpus@\n@each parts@\n@n@@p@\n@end parts@\n-\n@end gpus@\n", "0a\n0b\n-\n1a\n1b\n-\n"},
    {"@each none@\nx\n@end none@\n", ""},
    {"a@each none@x@end none@b", "ab"},
    {"@each inner@@name@@end inner@ @name@", "inner pt"},
    {"@each gpus@\n@end gpus@\n", ""},
    {"@each gpus@\n@end gpus@", ""},
    {" @each gpus@\nx@end gpus@ \n", " \nx\nx \n"},
};

START_TEST(template_fills)
{
    scope(strbuf_release) struct strbuf out = STRBUF_INIT;
    scope(error_release) struct error err = ERROR_INIT;
    struct values *values = make_values();

    ck_assert_int_eq(template_fill(&out, "t", fillings[_i].text, values, &err), 0);
    ck_assert_str_eq(strbuf_text(&out), fillings[_i].filled);
    ck_assert_str_eq(error_text(&err), "");
    values_free(values);
}
END_TEST

static const struct {
    const char *text, *message;
} mistakes[] = {
    {"a\n  @nonsense@", "t:2:3: '@nonsense@' means nothing here\n"},
    {"@n@", "t:1:1: '@n@' means nothing here\n"},
    {"@gpus@", "t:1:1: '@gpus@' means nothing here\n"},
    {"@each gpus@", "t:1:1: '@each gpus@' has no '@end gpus@'\n"},
    {"x\n @each gpus@\n@end parts@\n", "t:2:2: '@each gpus@' has no '@end gpus@'\n"},
    {"@each gpus@@each parts@@end gpus@@end parts@", "t:1:1: '@each gpus@' has no '@end gpus@'\n"},
    {"@end gpus@", "t:1:1: '@end gpus@' means nothing here\n"},
    {"a\n@end gpus@\n", "t:2:1: '@end gpus@' means nothing here\n"},
    {"@each gpus@\n@end gpus@\n@end gpus@\n", "t:3:1: '@end gpus@' means nothing here\n"},
};

START_TEST(template_mistakes)
{
    scope(strbuf_release) struct strbuf out = STRBUF_INIT;
    scope(error_release) struct error err = ERROR_INIT;
    struct values *values = make_values();

    ck_assert_int_eq(template_fill(&out, "t", mistakes[_i].text, values, &err), -1);
    ck_assert_str_eq(error_text(&err), mistakes[_i].message);
    ck_assert_int_eq(err.status, STATUS_INPUT);
    values_free(values);
}
END_TEST

START_TEST(template_without_memory)
{
    scope(strbuf_release) struct strbuf out = STRBUF_INIT;
    scope(error_release) struct error err = ERROR_INIT;
    struct values *values = values_new();

    ck_assert_int_eq(template_fill(&out, "t", "x", NULL, &err), -1);
    ck_assert_int_eq(err.status, STATUS_SYSTEM);
    values_text(NULL, "name", "x");
    ck_assert_ptr_null(values_each(NULL, "gpus"));
    values_text(values_each(values, "inner"), "name", NULL); /* what a failed text looks like */
    ck_assert_int_eq(template_fill(&out, "t", "x", values, &err), -1);
    values_free(values);
    values_free(NULL);
}
END_TEST

/* templates */

START_TEST(templates_are_embedded_exactly)
{
    const struct sandbox root = {"/"};
    size_t count = 0;

    for (const struct template_file *file = template_files; file->name; file++, count++) {
        char relative[128];
        snprintf(relative, sizeof relative, "../templates/%s", file->name);
        scope(free_text) char *path = tests_path(relative);
        scope(free_text) char *text = sandbox_read(&root, path, NULL);
        ck_assert_ptr_nonnull(text);
        ck_assert_str_eq(file->text, text);
    }
    ck_assert_uint_eq(count, 2 * shell_count);
}
END_TEST

START_TEST(templates_load_both_ways)
{
    scope(strbuf_release) struct strbuf embedded = STRBUF_INIT;
    scope(strbuf_release) struct strbuf loaded = STRBUF_INIT;
    scope(error_release) struct error err = ERROR_INIT;
    scope(free_text) char *folder = tests_path("../templates");

    ck_assert_int_eq(templates_load(&embedded, NULL, "activate.sh", &err), 0);
    ck_assert_int_eq(templates_load(&loaded, folder, "activate.sh", &err), 0);
    ck_assert_str_eq(strbuf_text(&embedded), strbuf_text(&loaded));
    ck_assert_uint_gt(loaded.length, 100);
    ck_assert_int_eq(templates_load(&loaded, "/none", "activate.sh", &err), -1);
    ck_assert_str_eq(
        error_text(&err),
        "/none/activate.sh: cannot read the template: No such file or directory; "
        "--template-dir names a folder with a file of each name that templates/ has\n");
    ck_assert_int_eq(err.status, STATUS_INPUT);
}
END_TEST

START_TEST(templates_are_text)
{
    scope(strbuf_release) struct strbuf loaded = STRBUF_INIT;
    scope(error_release) struct error err = ERROR_INIT;
    struct sandbox box;

    sandbox_open(&box);
    sandbox_write_bytes(&box, "activate.sh", "a\0b", 3);
    ck_assert_int_eq(templates_load(&loaded, box.root, "activate.sh", &err), -1);
    ck_assert_ptr_nonnull(
        strstr(error_text(&err), "/activate.sh: a template is text, and this holds a NUL\n"));
    sandbox_close(&box);
}
END_TEST

/* render */

#define HEAD   "# @environment@. Written by conda-gpu @version@ from @source@\n"
#define SIGN   "# conda-gpu digest @digest@\n"
#define PREFIX "/opt/envs/pt"

static struct plan plan;
static struct names managed;
static const struct share all;
static const struct served everybody = {"dgx-01", &all, &plan};
static struct decision decision;
static struct render in;

static void set_up(void)
{
    static const struct {
        const char *name;
        enum var_kind kind;
        const char *value, *separator;
    } variables[] = {
        {"CUDA_DEVICE_ORDER", VAR_SET, "PCI_BUS_ID", NULL},
        {"CUDA_VISIBLE_DEVICES", VAR_SET, "1", NULL},
        {"A", VAR_SET, "it's ${CONDA_PREFIX}/x @name@", NULL},
        {"B", VAR_UNSET, NULL, NULL},
        {"C", VAR_PREPEND, "p", ":"},
        {"D", VAR_APPEND, "q", " "},
    };

    plan = (struct plan){.gpus = PLAN_GPUS_CHOSEN, .in_job = IN_JOB_KEEP};
    managed = (struct names){0};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        ck_assert_int_eq(vars_add(&plan.variables, variables[i].name, variables[i].kind,
                                  variables[i].value, variables[i].separator),
                         0);
        names_add(&managed, variables[i].name);
    }
    names_add(&managed, "OLD");
    plan.devices.items = calloc(1, sizeof *plan.devices.items);
    plan.devices.count = 1;
    plan.devices.items[0].number = 1;
    plan.devices.items[0].device =
        (struct device){.name = "A\n100", .memory = UINT64_C(80) << 30, .pci = {0, 15, 0, 0}};
    plan.devices.items[0].device.uuid.bytes[0] = 0x89;
    ck_assert_int_eq(decision_make(&decision, &everybody, 1, false, NULL), 0);
    in = (struct render){.decision = &decision,
                         .managed = &managed,
                         .key = "0123abcd",
                         .prefix = PREFIX,
                         .environment = "p\nt",
                         .source = "environment.yml",
                         .version = "1.2"};
}

static void tear_down(void)
{
    decision_release(&decision);
    plan_release(&plan);
    names_release(&managed);
}

/* What a template makes, after the two lines that every one must have. */
static char *rendered(const char *text, const struct shell *shell)
{
    scope(strbuf_release) struct strbuf out = STRBUF_INIT;
    scope(error_release) struct error err = ERROR_INIT;
    scope(free_text) char *whole = format_text("%s%s%s", HEAD, SIGN, text);

    ck_assert_msg(render_hook(&out, &in, shell, "t", whole, &err) == 0, "%s", error_text(&err));
    ck_assert_int_eq(signature_owner(strbuf_text(&out), out.length, PREFIX), OWNER_US);
    const char *rest = strchr(strchr(strbuf_text(&out), '\n') + 1, '\n') + 1;
    return strdup(rest);
}

static const struct {
    const char *text, *made;
} renderings[] = {
    {"@environment@|@source@|@version@|@file@|@state@\n",
     "p\\nt|environment.yml|1.2|env_vars.sh|__CONDA_GPU_0123abcd\n"},
    {"@each devices@\n@ordinal@ @number@ @name@ @memory@ @address@ @uuid@\n@end devices@\n",
     "0 1 A\\n100 80 GiB 0000:0f:00.0 GPU-89000000-0000-0000-0000-000000000000\n"},
    {"@each branches@\n@each settings@\n@each set@\n@name@=@value@\n@end set@\n@end settings@\n"
     "@end branches@\n",
     "CUDA_DEVICE_ORDER='PCI_BUS_ID'\nCUDA_VISIBLE_DEVICES='1'\n"
     "A='it'\\''s '\"${CONDA_PREFIX-}\"'/x @name@'\n"},
    {"@each branches@@each settings@@each unset@@name@@end unset@@end settings@@end branches@\n",
     "B\n"},
    {"@each branches@@each settings@@each prepend@@name@ @value@ @separator@ @pattern@"
     "@end prepend@@end settings@@end branches@\n",
     "C 'p' ':' ':''p'':'\n"},
    {"@each branches@@each settings@@each append@@name@ @value@ @separator@@end append@"
     "@end settings@@end branches@\n",
     "D 'q' ' '\n"},
    {"@each branches@@each settings@@each set@@each is_visible@@name@@end is_visible@@end set@"
     "@end settings@@end branches@\n",
     "CUDA_VISIBLE_DEVICES\n"},
    {"@each visible@[@each in_job@job@end in_job@@each if_set@set@end if_set@"
     "@each always@both@end always@@each stands@ stands@end stands@]@end visible@\n",
     "[job stands]\n"},
    {"@each lists@l@end lists@@each shown@s@end shown@\n", "ls\n"},
    {"@each references@@name@ @end references@\n", "CONDA_PREFIX \n"},
    {"@each managed@@name@@each prepend@<@value@@end prepend@@each append@>@value@@end append@ "
     "@end managed@\n",
     "CUDA_DEVICE_ORDER A B C<'p' D>'q' OLD \n"},
    {"@names@|@managed_names@\n", "CUDA_DEVICE_ORDER A B C D|CUDA_DEVICE_ORDER A B C D OLD\n"},
    {"@each about@@text@@end about@\n", "\n"},
};

START_TEST(render_fills)
{
    scope(free_text) char *text = rendered(renderings[_i].text, &shells[0]);

    ck_assert_str_eq(text, renderings[_i].made);
}
END_TEST

/* What is said of the devices, and when a CUDA_VISIBLE_DEVICES of others stands. */
static const struct {
    enum plan_gpus gpus;
    bool unconfirmed;
    enum in_job in_job;
    enum if_set if_set;
    const char *made;
} decisions[] = {
    {PLAN_GPUS_CHOSEN, false, IN_JOB_OVERRIDE, IF_SET_OVERRIDE, "|nowhere"},
    {PLAN_GPUS_CHOSEN, true, IN_JOB_OVERRIDE, IF_SET_KEEP,
     "CUDA_VISIBLE_DEVICES=1, which no driver has confirmed: there was none.|set"},
    {PLAN_GPUS_NONE, false, IN_JOB_KEEP, IF_SET_KEEP,
     "no GPU: CUDA_VISIBLE_DEVICES=-1 hides them all.|both"},
    {PLAN_GPUS_ALL, false, IN_JOB_KEEP, IF_SET_OVERRIDE,
     "all GPUs of this machine: CUDA_VISIBLE_DEVICES is unset.|job"},
    {PLAN_GPUS_AS_BEFORE, false, IN_JOB_KEEP, IF_SET_OVERRIDE,
     "the GPUs are left as they are.|job"},
};

START_TEST(render_says_what_is_decided)
{
    plan.devices.count = 0;
    plan.gpus = decisions[_i].gpus;
    plan.unconfirmed = decisions[_i].unconfirmed;
    plan.in_job = decisions[_i].in_job;
    plan.if_set = decisions[_i].if_set;
    scope(free_text) char *text =
        rendered("@each about@@text@@end about@|@each visible@@each in_job@job@end in_job@"
                 "@each if_set@set@end if_set@@each always@both@end always@"
                 "@each nowhere@nowhere@end nowhere@@end visible@",
                 &shells[0]);
    ck_assert_str_eq(text, decisions[_i].made);
}
END_TEST

START_TEST(render_shows_no_number_it_does_not_know)
{
    plan.devices.items[0].number = PLAN_NO_NUMBER;
    scope(free_text) char *text = rendered("@each devices@\n@number@\n@end devices@\n", &shells[0]);
    ck_assert_str_eq(text, "-\n");
}
END_TEST

/* Every shell's own quotes and extension. */
START_TEST(render_in_every_shell)
{
    const struct shell *shell = &shells[_i];
    scope(strbuf_release) struct strbuf quoted = STRBUF_INIT;

    shell_quote_value(shell, &quoted, "it's ${CONDA_PREFIX}/x @name@");
    scope(free_text) char *wanted =
        format_text("env_vars.%s\n%s\n", shell->extension, strbuf_text(&quoted));
    scope(free_text) char *text =
        rendered("@file@\n@each branches@@each settings@@each set@@value@@end set@@end settings@"
                 "@end branches@\n",
                 shell);
    ck_assert_ptr_nonnull(strstr(text, strbuf_text(&quoted)));
    ck_assert_int_eq(strncmp(text, wanted, strcspn(wanted, "\n")), 0);
}
END_TEST

/* A deactivation hook tells of all that any generation managed. */
static void check_recalled(const char *name, const char *text)
{
    scope(names_release) struct names recalled = {0};
    char key[STATE_KEY_SIZE] = "";

    ck_assert_int_eq(signature_recall(text, &recalled, key), 1);
    ck_assert_str_eq(key, "0123abcd");
    for (size_t i = 0; i < managed.count; i++)
        ck_assert_msg(names_have(&recalled, managed.items[i]), "%s: %s", name, managed.items[i]);
    ck_assert_uint_eq(recalled.count, managed.count);
}

/* The templates that we ship: signed, the same each time, and with the names to recall. */
START_TEST(render_own_templates)
{
    scope(error_release) struct error err = ERROR_INIT;

    for (const struct template_file *file = template_files; file->name; file++) {
        scope(strbuf_release) struct strbuf once = STRBUF_INIT;
        scope(strbuf_release) struct strbuf again = STRBUF_INIT;
        const struct shell *shell = NULL;
        for (size_t i = 0; i < shell_count; i++)
            if (strcmp(strrchr(file->name, '.') + 1, shells[i].extension) == 0)
                shell = &shells[i];
        ck_assert_ptr_nonnull(shell);
        ck_assert_int_eq(render_hook(&once, &in, shell, file->name, file->text, &err), 0);
        ck_assert_int_eq(render_hook(&again, &in, shell, file->name, file->text, &err), 0);
        ck_assert_str_eq(strbuf_text(&once), strbuf_text(&again));
        ck_assert_int_eq(signature_owner(strbuf_text(&once), once.length, PREFIX), OWNER_US);
        ck_assert_int_eq(strncmp(strbuf_text(&once), "# ", 2), 0);
        ck_assert_ptr_nonnull(strstr(strbuf_text(&once), "p\\nt"));
        if (strncmp(file->name, "deactivate", strlen("deactivate")) == 0)
            check_recalled(file->name, strbuf_text(&once));
    }
}
END_TEST

static const struct {
    const char *text;
} unsigned_texts[] = {
    {"true\n"}, {HEAD "true\n"}, {SIGN HEAD}, {"true\n" HEAD SIGN}, {HEAD "x" SIGN},
};

START_TEST(render_refuses_unsigned)
{
    scope(strbuf_release) struct strbuf out = STRBUF_INIT;
    scope(error_release) struct error err = ERROR_INIT;

    ck_assert_int_eq(render_hook(&out, &in, &shells[0], "t", unsigned_texts[_i].text, &err), -1);
    ck_assert_ptr_nonnull(strstr(error_text(&err), "t: the first line must hold"));
    ck_assert_int_eq(err.status, STATUS_INPUT);
    ck_assert_str_eq(strbuf_text(&out), "");
}
END_TEST

/* Any change of any byte is noticed. */
START_TEST(render_notices_every_edit)
{
    scope(strbuf_release) struct strbuf out = STRBUF_INIT;
    scope(error_release) struct error err = ERROR_INIT;

    ck_assert_int_eq(render_hook(&out, &in, &shells[0], "t", HEAD SIGN "export A=1\n", &err), 0);
    for (size_t i = 0; i < out.length; i++) {
        out.text[i] ^= 1;
        enum hook_owner owner = signature_owner(out.text, out.length, PREFIX);
        ck_assert_msg(owner != OWNER_US, "a change at byte %zu goes unnoticed", i);
        out.text[i] ^= 1;
    }
    ck_assert_int_ne(signature_owner(out.text, out.length - 1, PREFIX), OWNER_US);
    strbuf_addc(&out, '\n');
    ck_assert_int_eq(signature_owner(out.text, out.length, PREFIX), OWNER_US_EDITED);
}
END_TEST

/* conda writes another path in place of the prefix's when it clones. */
START_TEST(render_knows_a_clone)
{
    const char *const prefixes[] = {PREFIX, "/opt/envs/a longer one"};
    struct strbuf texts[2] = {STRBUF_INIT, STRBUF_INIT};
    scope(error_release) struct error err = ERROR_INIT;

    ck_assert_int_eq(
        render_hook(&texts[0], &in, &shells[0], "t", HEAD SIGN "A=" PREFIX "/lib:" PREFIX, &err),
        0);
    const char *text = strbuf_text(&texts[0]), *end = strstr(text, "A=");
    strbuf_add(&texts[1], text, (size_t)(end - text));
    strbuf_addf(&texts[1], "A=%s/lib:%s", prefixes[1], prefixes[1]);
    for (size_t i = 0; i < 2; i++)
        for (size_t p = 0; p < 2; p++)
            ck_assert_int_eq(signature_owner(texts[i].text, texts[i].length, prefixes[p]),
                             i == p ? OWNER_US : OWNER_US_EDITED);
    strbuf_release(&texts[0]);
    strbuf_release(&texts[1]);
}
END_TEST

static const struct {
    const char *text;
    enum hook_owner owner;
} owners[] = {
    {"", OWNER_OTHER},
    {"\n", OWNER_OTHER},
    {"export A=1\n", OWNER_OTHER},
    {"# Written by conda-gpu 1", OWNER_OTHER},
    {"# Written by conda-gpu 1\n# conda-gpu digest 0123\n", OWNER_OTHER},
    {"# Written by conda-gpu 1\n# conda-gpu digest 0123456789abcdef\n", OWNER_US_EDITED},
    {"# Written by conda-gpu 1\n# conda-gpu digest 0123456789abcdef", OWNER_OTHER},
    {"# Written by conda-gpu 1\n# conda-gpu digest 0123456789abcdefg\n", OWNER_OTHER},
    {"#\n# Written by conda-gpu 1\n# conda-gpu digest 0123456789abcdef\n", OWNER_OTHER},
};

START_TEST(render_knows_others)
{
    ck_assert_int_eq(signature_owner(owners[_i].text, strlen(owners[_i].text), PREFIX),
                     owners[_i].owner);
}
END_TEST

#define SIGNED "\n# conda-gpu digest 0123456789abcdef\n"

static const struct {
    const char *text, *key, *names; /* NULL: nothing is recalled */
} recalls[] = {
    {"", NULL, ""},
    {"__CONDA_GPU_0123abcd_LEVEL __gpu_undo A y", NULL, ""},
    {SIGNED "", NULL, ""},
    {SIGNED "__CONDA_GPU_0123abcd_LEVEL __gpu_undo A y", "0123abcd", "A "},
    {SIGNED "__gpu_undo() {\n__gpu_undo A \"x\" B\n__gpu_undo C\nD __CONDA_GPU_0123abcd_",
     "0123abcd", "A C "},
    {SIGNED "__gpu_undo (A B \\\n  C) D __CONDA_GPU_0123abcd_LEVEL", "0123abcd", "A B C "},
    {SIGNED "__CONDA_GPU_0123abcd_ __CONDA_GPU_4567abcd_ __gpu_undo A$(id)", "0123abcd", "A "},
    {SIGNED "__CONDA_GPU_0123ABCD_ __gpu_undo A", NULL, ""},
    {SIGNED "__CONDA_GPU_0123abc_ __gpu_undo A", NULL, ""},
    {SIGNED "__CONDA_GPU_0123abcd_ __gpu_undo", "0123abcd", ""},
    {SIGNED "__CONDA_GPU_0123abcd_ __gpu_undo 1A", "0123abcd", ""},
    {SIGNED "__CONDA_GPU_0123abcd_LEVEL __gpu_undo PATH A", "0123abcd", ""},
    {SIGNED "__CONDA_GPU___CONDA_GPU_0123abcd_ __gpu_undo A", "0123abcd", "A "},
    {SIGNED "__CONDA_GPU_ __gpu_undo A", NULL, ""},
    /* the name of an environment, and of its file */
    {"# GPU settings of __CONDA_GPU_00000000_ __gpu_undo B. Written by conda-gpu 1.\n" SIGNED
     "__CONDA_GPU_0123abcd_LEVEL __gpu_undo A",
     "0123abcd", "A "},
};

START_TEST(render_recalls)
{
    scope(names_release) struct names names = {0};
    scope(strbuf_release) struct strbuf found = STRBUF_INIT;
    char key[STATE_KEY_SIZE] = "before";

    int recalled = signature_recall(recalls[_i].text, &names, key);
    ck_assert_int_eq(recalled, recalls[_i].key != NULL);
    ck_assert_str_eq(key, recalled ? recalls[_i].key : "before");
    for (size_t i = 0; i < names.count; i++)
        strbuf_addf(&found, "%s ", names.items[i]);
    ck_assert_str_eq(strbuf_text(&found), recalls[_i].names);
}
END_TEST

START_TEST(render_recalls_no_more_than_the_limit)
{
    scope(names_release) struct names names = {0};
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    char key[STATE_KEY_SIZE];

    strbuf_adds(&text, SIGNED);
    for (int i = 0; i < MANAGED_LIMIT + 5; i++)
        strbuf_addf(&text, "__gpu_undo A%d __CONDA_GPU_0123abcd_\n", i);
    ck_assert(signature_recall(text.text, &names, key));
    ck_assert_uint_eq(names.count, MANAGED_LIMIT);
}
END_TEST

#define LOOP(tests, test, table) tcase_add_loop_test(tests, test, 0, sizeof table / sizeof *table)

static Suite *suite(void)
{
    Suite *suite = suite_create("template, templates, render");
    TCase *tests = tcase_create("");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    LOOP(tests, template_fills, fillings);
    LOOP(tests, template_mistakes, mistakes);
    tcase_add_test(tests, template_without_memory);
    tcase_add_test(tests, templates_are_embedded_exactly);
    tcase_add_test(tests, templates_load_both_ways);
    tcase_add_test(tests, templates_are_text);
    LOOP(tests, render_fills, renderings);
    LOOP(tests, render_says_what_is_decided, decisions);
    tcase_add_test(tests, render_shows_no_number_it_does_not_know);
    tcase_add_loop_test(tests, render_in_every_shell, 0, (int)shell_count);
    tcase_add_test(tests, render_own_templates);
    LOOP(tests, render_refuses_unsigned, unsigned_texts);
    tcase_add_test(tests, render_notices_every_edit);
    tcase_add_test(tests, render_knows_a_clone);
    LOOP(tests, render_knows_others, owners);
    LOOP(tests, render_recalls, recalls);
    tcase_add_test(tests, render_recalls_no_more_than_the_limit);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
