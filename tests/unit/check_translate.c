/*
 * The module translate: a hand-written hook as a gpu: section, and what of it is left.
 */
#include "support/support.h"

#include "base/scope.h"
#include "hook/translate.h"

static const struct {
    const char *extension, *script;
    const char *section; /* without "gpu:\n" */
    const char *left;
} cases[] = {
    {"sh", "#!/bin/sh\nexport CUDA_VISIBLE_DEVICES=0,1\nexport OMP_NUM_THREADS=8\n",
     "  devices: [0, 1]\n  variables:\n    OMP_NUM_THREADS: 8\n", ""},
    {"sh",
     "export CUDA_DEVICE_ORDER=PCI_BUS_ID "
     "CUDA_VISIBLE_DEVICES=GPU-8932f937-d72c-4106-c12f-20bd9faed9f6\n",
     "  devices: [GPU-8932f937-d72c-4106-c12f-20bd9faed9f6]\n",
     "line 1: export CUDA_DEVICE_ORDER=PCI_BUS_ID "
     "CUDA_VISIBLE_DEVICES=GPU-8932f937-d72c-4106-c12f-20bd9faed9f6: with `devices`, the hooks set "
     "PCI_BUS_ID\n"},
    {"sh", "export CUDA_VISIBLE_DEVICES=-1\n", "  devices: none\n", ""},
    {"sh", "export CUDA_VISIBLE_DEVICES=\n", "  devices: none\n", ""},
    {"sh", "unset CUDA_VISIBLE_DEVICES\n", "  devices: all\n", ""},
    {"sh", "export CUDA_VISIBLE_DEVICES=$GPU\n", "",
     "line 1: export CUDA_VISIBLE_DEVICES=$GPU: a section expands only $CONDA_PREFIX, $HOME and "
     "$USER\n"},
    {"sh", "CUDA_HOME=\"$CONDA_PREFIX\"\nexport CUDA_HOME\n",
     "  variables:\n    CUDA_HOME: \"${CONDA_PREFIX}\"\n", ""},
    {"sh", "export A=\"a b\" B='x: \"y\"' C= D=null E=08 F=true G=-1 H=/opt/x.y I='a\nb'\n",
     "  variables:\n    A: \"a b\"\n    B: \"x: \\\"y\\\"\"\n    C: \"\"\n    D: \"null\"\n    E: "
     "08\n"
     "    F: true\n    G: \"-1\"\n    H: /opt/x.y\n    I: \"a\\x0ab\"\n",
     ""},
    {"sh", "unset OLD_FLAG\n", "  variables:\n    OLD_FLAG: null\n", ""},
    {"sh", "export LD_LIBRARY_PATH=$CONDA_PREFIX/lib:$LD_LIBRARY_PATH\n",
     "  variables:\n    LD_LIBRARY_PATH: {prepend: \"${CONDA_PREFIX}/lib\"}\n", ""},
    {"sh", "export P=/a:$P\nexport P=/b:${P}\n", "  variables:\n    P: {prepend: \"/b:/a\"}\n", ""},
    {"sh", "export P=$P:/a\nexport P=${P}:/b\n", "  variables:\n    P: {append: \"/a:/b\"}\n", ""},
    {"sh",
     "export P=/a${P:+:$P}\nexport Q=/a${Q:+:${Q}}\nexport R=${R:+$R:}/a\nexport S=/a:${S:-}\n",
     "  variables:\n    P: {prepend: /a}\n    Q: {prepend: /a}\n    R: {append: /a}\n    S: "
     "{prepend: /a}\n",
     ""},
    {"sh", "export F=\"$F -x y\"\n", "  variables:\n    F: {append: \"-x y\", separator: \" \"}\n",
     ""},
    {"sh", "export P=/a\nexport P=/b:$P\nexport P=$P:/c\n", "  variables:\n    P: \"/b:/a:/c\"\n",
     ""},
    {"sh", "unset P\nexport P=/b:$P\n", "  variables:\n    P: /b\n", ""},
    {"sh", "export P=/a:$P\nexport P=$P:/b\n", "  variables:\n    P: {prepend: /a}\n",
     "line 2: export P=$P:/b: lines before it add to the other side, or with another separator\n"},
    {"sh", "export P=/a:$P:/b Q=a$Q R=\"$R$R\"\n", "",
     "line 1: export P=/a:$P:/b Q=a$Q R=\"$R$R\": it adds to the earlier value on both sides\n"
     "line 1: export P=/a:$P:/b Q=a$Q R=\"$R$R\": it adds to the earlier value without a "
     "separator\n"
     "line 1: export P=/a:$P:/b Q=a$Q R=\"$R$R\": it adds to the earlier value in another way than "
     "before or behind it\n"},
    {"sh", "export H=~/data U=/scratch/$USER\n",
     "  variables:\n    H: \"${HOME}/data\"\n    U: \"/scratch/${USER}\"\n", ""},
    {"sh", "export _OLD=$LD_LIBRARY_PATH\nexport LD_LIBRARY_PATH=/a\n",
     "  variables:\n    LD_LIBRARY_PATH: /a\n",
     "line 1: export _OLD=$LD_LIBRARY_PATH: not needed, since the hooks put back what was there\n"},
    {"sh", "if [ -d /x ]; then\n  export A=1\nfi\necho hello\n. /etc/setup\nexport D=$(date)\n", "",
     "line 1: if [ -d /x ]: it runs only sometimes\n"
     "line 2: export A=1: it runs only sometimes\n"
     "line 4: echo hello: it is no plain setting of a variable\n"
     "line 5: . /etc/setup: it is no plain setting of a variable\n"
     "line 6: export D=$(date): a section expands only $CONDA_PREFIX, $HOME and $USER\n"},
    {"sh", "export A='${HOME}'\n", "",
     "line 1: export A='${HOME}': a section expands only $CONDA_PREFIX, $HOME and $USER\n"},
    {"sh", "# nothing\n", "", ""},
    {"fish", "set -gx CUDA_VISIBLE_DEVICES 1\nset -gx X 'a b'\nset -e Y\n",
     "  devices: [1]\n  variables:\n    X: \"a b\"\n    Y: null\n", ""},
    {"csh", "setenv CUDA_VISIBLE_DEVICES 1\nsetenv X \"${CONDA_PREFIX}/x\"\nunsetenv Y\n",
     "  devices: [1]\n  variables:\n    X: \"${CONDA_PREFIX}/x\"\n    Y: null\n", ""},
};

START_TEST(scripts_become_sections)
{
    scope(translation_release) struct translation offer = {0};
    scope(free_text) char *wanted =
        format_text("%s%s", *cases[_i].section ? "gpu:\n" : "", cases[_i].section);

    ck_assert_int_eq(translate(&offer, cases[_i].extension, cases[_i].script), 0);
    ck_assert_str_eq(strbuf_text(&offer.section), wanted);
    ck_assert_str_eq(strbuf_text(&offer.left), cases[_i].left);
}
END_TEST

/* The section's own reason is given for what it does not take. */
START_TEST(refused)
{
    scope(translation_release) struct translation offer = {0};

    ck_assert_int_eq(
        translate(&offer, "sh", "export PATH=/a:$PATH\nexport CUDA_VISIBLE_DEVICES=x\n"), 0);
    ck_assert_str_eq(strbuf_text(&offer.section), "");
    const char *left = strbuf_text(&offer.left);
    ck_assert_msg(strncmp(left, "line 1: export PATH=/a:$PATH: ", 30) == 0, "%s", left);
    ck_assert_msg(strstr(left, "\nline 2: export CUDA_VISIBLE_DEVICES=x: ") != NULL, "%s", left);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("translate");
    TCase *tests = tcase_create("");

    tcase_add_loop_test(tests, scripts_become_sections, 0, sizeof cases / sizeof *cases);
    tcase_add_test(tests, refused);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
