/*
 * apply and what stands in the environment file: every way in which the gpu: section can be wrong,
 * each with its whole message, and the forms in which a right one may come.
 */
#include "support/sandboxed.h"

#include "base/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Applies the file to the environment and returns what was said. */
static struct outcome apply(const char *file, const char *option)
{
    return conda_gpu(&box, NULL, "apply", "-p", "envs/pt", "-f", file, option, NULL);
}

static void check_refused(const char *file, int status, const char *message)
{
    struct outcome got = apply(file, NULL);

    ck_assert_str_eq(got.err, message);
    ck_assert_int_eq(got.status, status);
    ck_assert((*got.out != '\0') == (strstr(message, "standard output") != NULL));
    ck_assert(!sandbox_has(&box, "envs/pt/etc"));
    outcome_free(&got);
}

#define F "environment.yml:"
#define ITEM_FORMS                                                                                 \
    "a number as in nvidia-smi, a range such as 0-3, GPU-..., a whole MIG-..., a PCI bus ID such " \
    "as 65:00.0, all, none, or {name: ..., mig: ..., min_memory: ..., min_compute: ..., count: "   \
    "...}"
#define ITEM    ITEM_FORMS "\n"
#define DEVICES ITEM_FORMS ", or a list of these, such as [1, 3]\n"
#define SEVERAL "; write several as a list, such as [1, 3]\n"
#define KEYS    "known keys: devices, ids, if_no_gpu, in_job, if_set, variables, assign\n"
#define NEITHER                                                                                    \
    "'devices', 'variables' and 'assign' are missing; at least one is needed, such as 'devices: "  \
    "0' or 'variables: {OMP_NUM_THREADS: 8}'\n"
#define JOIN_KEYS "known keys: prepend, append, separator\n"
#define PLAIN     "  gpu:\n    devices: 0\n"
#define SECTION                                                                                    \
    PLAIN "  The section on standard output is for this machine; leave out the GPUs that you do "  \
          "not want.\n"
#define LACKING F " no 'gpu:' section; add one, for GPU 0 of nvidia-smi for example:\n" SECTION
#define EMPTY                                                                                      \
    "the section is empty; its keys must stand indented below 'gpu:', for GPU 0 of nvidia-smi "    \
    "for "                                                                                         \
    "example:\n" SECTION
#define MEND    "; mend this line or the one before it\n"
#define VALUE   "a value, null, {prepend: TEXT} or {append: TEXT}\n"
#define PATTERN "a name or a pattern with *, ? and [sets], such as \"login*\", or a list of these\n"
#define NO_NAME "is no name for a variable: a letter or _ first, then letters, digits and _\n"
#define JINJA                                                                                      \
    "a jinja template, which is no YAML before it is rendered; put the gpu: section into a file "  \
    "gpu.yml beside this one, without any template in it\n"
#define NO_BREAK "a no-break space, as web pages have them; write a plain space\n"
#define NUL      "the value holds a NUL, which no environment variable can; remove it\n"

struct file {
    const char *text;
    const char *message;
};

/* Files that are no mapping with one gpu: section. */
static const struct file files[] = {
    {"", F " the file is empty; an environment file is a mapping such as 'name: pt'\n"},
    {"# text\n", F " the file is empty; an environment file is a mapping such as 'name: pt'\n"},
    {"---\n", F "2:1: found nothing where the file should be a mapping such as 'name: pt'\n"},
    {"null\n", F "1:1: found nothing where the file should be a mapping such as 'name: pt'\n"},
    {"numpy\n", F "1:1: found 'numpy' where the file should be a mapping such as 'name: pt'\n"},
    {"\n- numpy\n", F "2:1: found a list where the file should be a mapping such as 'name: pt'\n"},
    {"name: pt\n", LACKING},
    {"{}\n", LACKING},
    {"gpu:\n", F "1:1: gpu: " EMPTY},
    {"name: pt\ngpu: ~\n", F "2:1: gpu: " EMPTY},
    {"name: pt\ngpu:\ndevices: [1, 3]\n", F "2:1: gpu: " EMPTY},
    {"name: \"pt\\0x\"\ngpu: {devices: x}\n",
     F "1:7: name: the value holds a NUL, which no name of an environment can; remove it\n" F
       "2:16: gpu.devices: found 'x'; accepted: " DEVICES},
    {"name: \"\\0\"\ngpu: {devices: 1}\n",
     F "1:7: name: the value holds a NUL, which no name of an environment can; remove it\n"},
    {"gpus:\n  devices: 1\n",
     F "1:1: no 'gpu:' section; did you mean 'gpu' by the key 'gpus'?\n" PLAIN},
    {"name: pt\nGPU: {devices: 1}\n",
     F "2:1: no 'gpu:' section; did you mean 'gpu' by the key 'GPU'?\n" PLAIN},
    {"gpu:\n  devices: 1\n\ngpu:\n  devices: 2\n",
     F "4:1: gpu: a second 'gpu:' section; join it with the first, at line 1\n"},
    {"gpu: {devices: 1}\nname: pt\ngpu: {devices: 2}\n",
     F "3:1: gpu: a second 'gpu:' section; join it with the first, at line 1\n"},
    {"gpu: {devices: 1}\n---\nname: pt\n",
     F "2:1: a second YAML document begins here, and conda reads only one; remove the '---' or put "
       "the rest into a file of its own\n"},
    {"gpu: {devices: 1}\n---\n",
     F "2:1: a second YAML document begins here, and conda reads only one; remove the '---' or put "
       "the rest into a file of its own\n"},
    {"gpu: {devices: 1}\n...\nname\n",
     F "3:1: a second YAML document begins here, and conda reads only one; remove the '---' or put "
       "the rest into a file of its own\n"},
    {"name: pt\ngpu:\n\tdevices: 1\n",
     F "3:1: not YAML: a tab in the indentation; YAML takes only spaces there\n"},
    {"gpu:\n  devices: 1\n \tids: uuid\n",
     F "3:2: not YAML: a tab in the indentation; YAML takes only spaces there\n"},
    {"a: &x 7\nb: &x 8\ngpu: {devices: 1}\n",
     F "2:4: the anchor here has the name of the one at line 1; give it another\n"},
    {"{% set n = 1 %}\ngpu: {devices: 1}\n", F "1:1: not YAML: " JINJA},
    {"name: {{ name }}-gpu\ngpu: {devices: 1}\n", F "1:7: not YAML: " JINJA},
    {"gpu:\n  devices: {{ gpu }}\n",
     F "2:13: gpu.devices: found a mapping; accepted: a key that is a plain word\n  in this line, "
       "at column 12: " JINJA},
    {"gpu:\n  devices:\xc2\xa0"
     "1\n",
     F "2:3: gpu: found 'devices:\xc2\xa0"
       "1'; accepted: a mapping such as {devices: 0}\n  in this "
       "line, at column 11: " NO_BREAK},
    {"gpu:\n  devices: 1\n  ids:\xc2\xa0uuid\n", F "3:7: not YAML: " NO_BREAK},
    {"gpu:\n\xc2\xa0 devices: 1\n",
     F "2:1: found the key '\xc2\xa0 devices'\n  in this line, at column 1: " NO_BREAK},
    {"gpu:\n  devices: 1\n\xe2\x80\x83ids: uuid\n",
     F "3:1: found the key '\xe2\x80\x83ids'\n  in this line, at column 1: " NO_BREAK},
    {"gpu:\n  devices: 1\xc2\xa0\n", F "2:12: gpu.devices: found '1\xc2\xa0'; accepted: " DEVICES
                                       "  in this line, at column 13: " NO_BREAK},
    {"gpu:\n  devices: 1\n ids: uuid\n",
     F "3:2: not YAML: while parsing a block mapping, did not find expected key" MEND},
    {"gpu: {devices: 1\n",
     F "2:1: not YAML: while parsing a flow mapping, did not find expected ',' or '}'" MEND},
    {"name: a: b\n", F "1:8: not YAML: mapping values are not allowed in this context" MEND},
    {"name: 'pt\n",
     F "2:1: not YAML: while scanning a quoted scalar, found unexpected end of stream" MEND},
    {"gpu: {devices: *which}\n", F "1:16: not YAML: found undefined alias" MEND},
    {"<<<<<<< HEAD\nname: pt\n",
     F "2:5: not YAML: mapping values are not allowed in this context" MEND},
    {"%YAML 2.0\n---\nname: pt\n", F "1:1: not YAML: found incompatible YAML document" MEND},
};

/* The section and its keys, each in a file of its own. */
static const struct file sections[] = {
    {"gpu: 3\n", F "1:6: gpu: found '3'; accepted: a mapping such as {devices: 0}\n"},
    {"gpu: [1]\n", F "1:6: gpu: found a list; accepted: a mapping such as {devices: 0}\n"},
    {"gpu: {}\n", F "1:6: gpu: " NEITHER},
    {"gpu:\n  ids: uuid\n", F "2:3: gpu: " NEITHER},
    {"gpu: {ids: foo}\n",
     F "1:12: gpu.ids: found 'foo'; accepted: index or uuid\n" F "1:6: gpu: " NEITHER},
    {"gpu: {devices: x, ids: foo}\n", F "1:16: gpu.devices: found 'x'; accepted: " DEVICES F
                                        "1:24: gpu.ids: found 'foo'; accepted: index or uuid\n"},
    {"gpu: {device: 1}\n", F "1:7: gpu: unknown key 'device'; did you mean 'devices'?\n"},
    {"gpu: {devices: 1, Ids: uuid}\n", F "1:19: gpu: unknown key 'Ids'; did you mean 'ids'?\n"},
    {"gpu: {devices: 1, if-no-gpu: cpu}\n",
     F "1:19: gpu: unknown key 'if-no-gpu'; did you mean 'if_no_gpu'?\n"},
    {"gpu: {devices: 1, assigns: []}\n",
     F "1:19: gpu: unknown key 'assigns'; did you mean 'assign'?\n"},
    {"gpu: {devices: 1, colour: red}\n", F "1:19: gpu: unknown key 'colour'; " KEYS},
    {"gpu: {devices: 1, 'a\\nb': red}\n", F "1:19: gpu: unknown key 'a\\nb'; " KEYS},
    {"gpu: {devices: 1, ~: red}\n", F "1:19: gpu: unknown key '~'; " KEYS},
    {"gpu: {devices: 1, <<: 2}\n",
     F "1:23: the key '<<' takes the keys of another mapping, such as '<<: *name', or of a list of "
       "mappings\n"},
    {"gpu: {devices: 1, '<<': {ids: uuid}}\n", F "1:19: gpu: unknown key '<<'; " KEYS},
    {"x: &x {colour: red}\ngpu: {devices: 1, <<: *x}\n", F "1:8: gpu: unknown key 'colour'; " KEYS},
    {"gpu: {devices: !!binary MQ==}\n",
     F "1:16: gpu.devices: the tag 'tag:yaml.org,2002:binary' is not read here; write the value "
       "without it\n"},
    {"gpu: {devices: !!str null}\n", F "1:16: gpu.devices: found 'null'; accepted: " DEVICES},
    {"gpu: {devices: 1, [a]: 2}\n",
     F "1:19: gpu: found a list; accepted: a key that is a plain word\n"},
    {"gpu: {devices: 1, {a: b}: 2}\n",
     F "1:19: gpu: found a mapping; accepted: a key that is a plain word\n"},
    {"gpu:\n  devices: 1\n  devices: 2\n",
     F "3:3: gpu: the key 'devices' stands here a second time; remove one of the two\n"},
    {"gpu: {devices: 1, ids: index, ids: index}\n",
     F "1:31: gpu: the key 'ids' stands here a second time; remove one of the two\n"},
    {"gpu: &a {devices: *a}\n",
     F "1:10: gpu.devices: unknown key 'devices'; known keys: name, mig, min_memory, min_compute, "
       "count\n"},
    {"gpu: {devices: 1, ids: UUID}\n", F "1:24: gpu.ids: found 'UUID'; accepted: index or uuid\n"},
    {"gpu: {devices: 1, ids: }\n", F "1:24: gpu.ids: found nothing; accepted: index or uuid\n"},
    {"gpu: {devices: 1, ids: [uuid]}\n",
     F "1:24: gpu.ids: found a list; accepted: index or uuid\n"},
    {"gpu: {devices: 1, if_no_gpu: gpu}\n",
     F "1:30: gpu.if_no_gpu: found 'gpu'; accepted: error, cpu or unconfirmed\n"},
    {"gpu: {devices: 1, if_no_gpu: {cpu: 1}}\n",
     F "1:30: gpu.if_no_gpu: found a mapping; accepted: error, cpu or unconfirmed\n"},
    {"gpu: {devices: 1, in_job: no}\n",
     F "1:27: gpu.in_job: found 'no'; accepted: keep or override\n"},
    {"gpu: {devices: 1, in_job: null}\n",
     F "1:27: gpu.in_job: found nothing; accepted: keep or override\n"},
    {"gpu: {devices: 1, if_set: 1}\n",
     F "1:27: gpu.if_set: found '1'; accepted: override or keep\n"},
    {"gpu: {devises: 1}\n", F "1:7: gpu: unknown key 'devises'; did you mean 'devices'?\n"},
    {"gpu: {variable: {A: 1}}\n",
     F "1:7: gpu: unknown key 'variable'; did you mean 'variables'?\n"},
    {"gpu:\n  devices: 1\n  assign: []\n", F
     "3:11: gpu.assign: found a list; accepted: a list of 1 to 4096 rules, such as [{user: alice, "
     "devices: 0}]\n"},
    {"gpu: {assign: [{usr: a, devices: x}, 3, {user: [], host: 'a b', ids: y}]}\n",
     F "1:17: gpu.assign: unknown key 'usr'; did you mean 'user'?\n" F
       "1:34: gpu.assign.devices: found 'x'; accepted: " DEVICES F
       "1:38: gpu.assign: found '3'; accepted: a rule such as {user: alice, devices: 0}\n" F
       "1:48: gpu.assign.user: found a list; accepted: " PATTERN F
       "1:58: gpu.assign.host: found 'a b'; accepted: " PATTERN F
       "1:70: gpu.assign.ids: found 'y'; accepted: index or uuid\n"},
    {"gpu:\n  assign:\n    - host: \"login*\"\n      devices: none\n    - host: login1\n"
     "      user: bob\n      devices: 0\n",
     F "5:7: gpu.assign: this rule is never taken, since the one at line 3, column 7 fits all that "
       "it fits; put it before that one, or remove it\n"},
};

/* Values of gpu.devices; the text is put behind "gpu:\n  devices: ". */
static const struct file items[] = {
    {"x", F "2:12: gpu.devices: found 'x'; accepted: " DEVICES},
    {"-1", F "2:12: gpu.devices: found '-1'; to hide every GPU write none\n"},
    {"1.5", F "2:12: gpu.devices: found '1.5'; accepted: " DEVICES},
    {"0x1", F "2:12: gpu.devices: found '0x1'; accepted: " DEVICES},
    {"1_0", F "2:12: gpu.devices: found '1_0'; accepted: " DEVICES},
    {"1,3", F "2:12: gpu.devices: found '1,3'" SEVERAL},
    {"'1,3'", F "2:12: gpu.devices: found '1,3'" SEVERAL},
    {"[0, '1, 3']", F "2:16: gpu.devices: found '1, 3'" SEVERAL},
    {"1,", F "2:12: gpu.devices: found '1,'; accepted: " DEVICES},
    {"1,x", F "2:12: gpu.devices: found '1,x'; accepted: " DEVICES},
    {"cuda:0", F "2:12: gpu.devices: found 'cuda:0'; write nvidia-smi's number alone, such as 0; "
                 "CUDA's own number may be another one: see 'conda-gpu devices'\n"},
    {"cuda0", F "2:12: gpu.devices: found 'cuda0'; write nvidia-smi's number alone, such as 0; "
                "CUDA's own number may be another one: see 'conda-gpu devices'\n"},
    {"GPU 1", F "2:12: gpu.devices: found 'GPU 1'; write nvidia-smi's number alone, such as 1; "
                "CUDA's own number may be another one: see 'conda-gpu devices'\n"},
    {"gpu1", F "2:12: gpu.devices: found 'gpu1'; write nvidia-smi's number alone, such as 1; "
               "CUDA's own number may be another one: see 'conda-gpu devices'\n"},
    {"/dev/nvidia3",
     F "2:12: gpu.devices: found '/dev/nvidia3'; write nvidia-smi's number alone, such as 3; "
       "CUDA's own number may be another one: see 'conda-gpu devices'\n"},
    {"None", F "2:12: gpu.devices: found 'None'; write none in lower case\n"},
    {"NONE", F "2:12: gpu.devices: found 'NONE'; write none in lower case\n"},
    {"cpu", F "2:12: gpu.devices: found 'cpu'; to hide every GPU write none\n"},
    {"CPU", F "2:12: gpu.devices: found 'CPU'; to hide every GPU write none\n"},
    {"false", F "2:12: gpu.devices: found 'false'; to hide every GPU write none\n"},
    {"any", F "2:12: gpu.devices: found 'any'; for every GPU write all\n"},
    {"auto",
     F "2:12: gpu.devices: found 'auto'; for the first GPU write {count: 1}, for every GPU all\n"},
    {"'0,1'", F "2:12: gpu.devices: found '0,1'; write several as a list, such as [1, 3]\n"},
    {"0..3", F "2:12: gpu.devices: found '0..3'; write a range with a hyphen, such as 0-3\n"},
    {"3-0", F "2:12: gpu.devices: found '3-0'; write the smaller number first, 0-3; for another "
              "order write a list\n"},
    {"A100", F "2:12: gpu.devices: found 'A100'; to choose by name write {name: \"*A100*\"}\n"},
    {"RTX 4090",
     F "2:12: gpu.devices: found 'RTX 4090'; to choose by name write {name: \"*RTX 4090*\"}\n"},
    {"8932f937-d72c", F "2:12: gpu.devices: found '8932f937-d72c'; write GPU- or MIG- before a "
                        "UUID, as 'nvidia-smi -L' shows it\n"},
    {"MIG-GPU-8932f937-d72c-4106-c12f-20bd9faed9f6/1/0",
     F "2:12: gpu.devices: found 'MIG-GPU-8932f937-d72c-4106-c12f-20bd9faed9f6/1/0'; drivers "
       "before R470 named MIG instances so; write the MIG-... that 'nvidia-smi -L' shows now\n"},
    {"1 3", F "2:12: gpu.devices: found '1 3'" SEVERAL},
    {"'1 '", F "2:12: gpu.devices: found '1 '; accepted: " DEVICES},
    {"1000000000", F "2:12: gpu.devices: found '1000000000'; accepted: " DEVICES},
    {"1-", F "2:12: gpu.devices: found '1-'; accepted: " DEVICES},
    {"3-1", F "2:12: gpu.devices: found '3-1'; write the smaller number first, 1-3; for another "
              "order write a list\n"},
    {"0-1-2", F "2:12: gpu.devices: found '0-1-2'; accepted: " DEVICES},
    {"ALL", F "2:12: gpu.devices: found 'ALL'; write all in lower case\n"},
    {"GPU-", F "2:12: gpu.devices: found 'GPU-'; write the UUID as 'nvidia-smi -L' shows it: GPU- "
               "and hexadecimal digits\n"},
    {"GPU-89x", F "2:12: gpu.devices: found 'GPU-89x'; write the UUID as 'nvidia-smi -L' shows it: "
                  "GPU- and hexadecimal digits\n"},
    {"GPU-8932f9371", F "2:12: gpu.devices: found 'GPU-8932f9371'; write the UUID as 'nvidia-smi "
                        "-L' shows it: GPU- and hexadecimal digits\n"},
    {"GPU-8932f937-d72c-4106-c12f-20bd9faed9f67",
     F "2:12: gpu.devices: found 'GPU-8932f937-d72c-4106-c12f-20bd9faed9f67'; write the UUID as "
       "'nvidia-smi -L' shows it: GPU- and hexadecimal digits\n"},
    {"gpu-8932f937",
     F "2:12: gpu.devices: found 'gpu-8932f937'; write GPU- in capitals: GPU-8932f937\n"},
    {"MIG-73785c32", F "2:12: gpu.devices: found 'MIG-73785c32'; write the UUID of a MIG instance "
                       "whole, as 'nvidia-smi -L' shows it\n"},
    {"65:00", F "2:12: gpu.devices: found '65:00'; accepted: " DEVICES},
    {"65:00.8", F "2:12: gpu.devices: found '65:00.8'; accepted: " DEVICES},
    {"65:20.0", F "2:12: gpu.devices: found '65:20.0'; accepted: " DEVICES},
    {"100:65:00.0", F "2:12: gpu.devices: found '100:65:00.0'; accepted: " DEVICES},
    {"", F "2:11: gpu.devices: found nothing; accepted: " DEVICES},
    {"~", F "2:12: gpu.devices: found nothing; accepted: " DEVICES},
    {"''", F "2:12: gpu.devices: found ''; accepted: " DEVICES},
    {"[]", F "2:12: gpu.devices: the list is empty; accepted as an item: " ITEM},
    {"[1, ~]", F "2:16: gpu.devices: found nothing; accepted: " ITEM},
    {"[[1]]", F "2:13: gpu.devices: found a list; accepted: " ITEM},
    {"\n  - 1\n  - x", F "4:5: gpu.devices: found 'x'; accepted: " ITEM},
    {"\"\\e[31m\"", F "2:12: gpu.devices: found '\\x1b[31m'; accepted: " DEVICES},
    {"\"a\\u2028b\"", F "2:12: gpu.devices: found 'a\\xe2\\x80\\xa8b'; accepted: " DEVICES},
    {"\"1\\0\"", F "2:12: gpu.devices: " NUL},
    {"[x, 1, y]", F "2:13: gpu.devices: found 'x'; accepted: " ITEM F
                    "2:19: gpu.devices: found 'y'; accepted: " ITEM},
    {"1234567890123456789012345678901234567890123456789012345678901234567890", F
     "2:12: gpu.devices: found '123456789012345678901234567890123456789012345678901234567890'...; "
     "accepted: " DEVICES},
    {"[all, 1]",
     F "2:13: gpu.devices: 'all' stands beside other items; write it alone, or leave it out\n"},
    {"[1, none]",
     F "2:16: gpu.devices: 'none' stands beside other items; write it alone, or leave it out\n"},
    {"[all, none]",
     F "2:13: gpu.devices: 'all' stands beside other items; write it alone, or leave it out\n" F
       "2:18: gpu.devices: 'none' stands beside other items; write it alone, or leave it out\n"},
    {"{}", F "2:12: gpu.devices: found a mapping; accepted: a filter with at least one of name, "
             "mig, min_memory, min_compute, count\n"},
    {"{nam: x}", F "2:13: gpu.devices: unknown key 'nam'; did you mean 'name'?\n"},
    {"{memory: 1GB}",
     F "2:13: gpu.devices: unknown key 'memory'; known keys: name, mig, min_memory, "
       "min_compute, count\n"},
    {"{count: 1, count: 2}",
     F "2:23: gpu.devices: the key 'count' stands here a second time; remove one of the two\n"},
    {"{name: ''}",
     F "2:19: gpu.devices.name: found ''; accepted: a name or pattern in quotes, such "
       "as \"*A100*\"\n"},
    {"{name: ~}", F "2:19: gpu.devices.name: found nothing; accepted: a name or pattern in quotes, "
                    "such as \"*A100*\"\n"},
    {"{name: [A100]}", F "2:19: gpu.devices.name: found a list; accepted: a name or pattern in "
                         "quotes, such as \"*A100*\"\n"},
    {"{name: \"A\\0\"}", F "2:19: gpu.devices.name: " NUL},
    {"{min_memory: 40}",
     F "2:25: gpu.devices.min_memory: found '40'; write a unit behind it, such as 40GiB\n"},
    {"{min_memory: 40G}", F "2:25: gpu.devices.min_memory: found '40G'; write 40GiB (powers of "
                            "1024) or 40GB (powers of 1000)\n"},
    {"{min_memory: 40 gb}", F "2:25: gpu.devices.min_memory: found '40 gb'; write 40GiB (powers of "
                              "1024) or 40GB (powers of 1000)\n"},
    {"{min_memory: 1.5 m}", F "2:25: gpu.devices.min_memory: found '1.5 m'; write 1.5MiB (powers "
                              "of 1024) or 1.5MB (powers of 1000)\n"},
    {"{min_compute: 80}",
     F "2:26: gpu.devices.min_compute: found '80'; write it with a point, \"8.0\"\n"},
    {"{min_compute: sm_90a}",
     F "2:26: gpu.devices.min_compute: found 'sm_90a'; write it with a point, \"9.0\"\n"},
    {"{min_compute: compute_100}",
     F "2:26: gpu.devices.min_compute: found 'compute_100'; write it with a point, \"10.0\"\n"},
    {"{min_memory: 0GiB}", F "2:25: gpu.devices.min_memory: found '0GiB'; accepted: a number with "
                             "MB, GB, MiB or GiB, such as 40GiB\n"},
    {"{min_compute: new}", F "2:26: gpu.devices.min_compute: found 'new'; accepted: a compute "
                             "capability such as \"8.0\"\n"},
    {"{min_compute: 8.0.1}", F "2:26: gpu.devices.min_compute: found '8.0.1'; accepted: a compute "
                               "capability such as \"8.0\"\n"},
    {"{count: 0}", F "2:20: gpu.devices.count: found '0'; accepted: a number from 1\n"},
    {"{count: -1}", F "2:20: gpu.devices.count: found '-1'; accepted: a number from 1\n"},
    {"{count: all}", F "2:20: gpu.devices.count: found 'all'; accepted: a number from 1\n"},
};

/* Values of gpu.variables; the text is put behind "gpu:\n  devices: 1\n  variables: ". */
static const struct file variables[] = {
    {"x", F "3:14: gpu.variables: found 'x'; accepted: a mapping such as {OMP_NUM_THREADS: 8}\n"},
    {"[A]",
     F "3:14: gpu.variables: found a list; accepted: a mapping such as {OMP_NUM_THREADS: 8}\n"},
    {"",
     F "3:13: gpu.variables: found nothing; accepted: a mapping such as {OMP_NUM_THREADS: 8}\n"},
    {"{A: [1]}", F "3:18: gpu.variables.A: found a list; accepted: " VALUE},
    {"{A: \"a\\0b\"}", F "3:18: gpu.variables.A: " NUL},
    {"{A: 1, B: 2, A: 3}",
     F "3:27: gpu.variables: 'A' stands here a second time; remove one of the two\n"},
    {"{1A: 1}", F "3:15: gpu.variables: '1A' " NO_NAME},
    {"{A-B: 1}", F "3:15: gpu.variables: 'A-B' " NO_NAME},
    {"{A B: 1}", F "3:15: gpu.variables: 'A B' " NO_NAME},
    {"{'': 1}", F "3:15: gpu.variables: '' " NO_NAME},
    {"{\xc3\x84: 1}", F "3:15: gpu.variables: '\xc3\x84' " NO_NAME},
    {"{'A;rm -rf ~': 1}", F "3:15: gpu.variables: 'A;rm -rf ~' " NO_NAME},
    {"{\"A\\n\": 1}", F "3:15: gpu.variables: 'A\\n' " NO_NAME},
    {"{\"A\\0B\": 1}", F "3:15: gpu.variables: 'A' holds a NUL\n"},
    {"{[A]: 1}", F "3:15: gpu.variables: found a list; accepted: the name of a variable\n"},
    {"{A: {}}", F "3:18: gpu.variables.A: neither prepend nor append; write {prepend: TEXT} or "
                  "{append: TEXT}\n"},
    {"{A: {separator: ','}}",
     F "3:18: gpu.variables.A: neither prepend nor append; write {prepend: TEXT} or {append: "
       "TEXT}\n"},
    {"{A: {prepend: x, append: y}}",
     F "3:18: gpu.variables.A: both prepend and append; write {prepend: TEXT} or {append: TEXT}\n"},
    {"{A: {before: x}}", F "3:19: gpu.variables.A: unknown key 'before'; " JOIN_KEYS},
    {"{A: {prepand: x}}",
     F "3:19: gpu.variables.A: unknown key 'prepand'; did you mean 'prepend'?\n"},
    {"{A: {prepend: x, prepend: y}}",
     F "3:31: gpu.variables.A: the key 'prepend' stands here a second time; remove one of the "
       "two\n"},
    {"{A: {prepend: ''}}", F "3:28: gpu.variables.A.prepend: found ''; accepted: text that is not "
                             "empty: an empty element means the current folder\n"},
    {"{A: {append: }}", F "3:27: gpu.variables.A.append: found nothing; accepted: text\n"},
    {"{A: {prepend: [x]}}", F "3:28: gpu.variables.A.prepend: found a list; accepted: text\n"},
    {"{A: {prepend: \"x\\0\"}}", F "3:28: gpu.variables.A.prepend: " NUL},
    {"{A: {prepend: x, separator: ~}}",
     F "3:42: gpu.variables.A.separator: found nothing; accepted: text such as \":\"\n"},
    {"{A: {append: x, separator: [':']}}",
     F "3:41: gpu.variables.A.separator: found a list; accepted: text such as \":\"\n"},
};

/* Variables that are refused, each with its reason. */
static const char conda[] = "belongs to conda or to conda-gpu, which set it themselves";
static const char job[] = "tells in which scheduler's job a shell is, which the hooks must know";
static const char posix[] = "is read-only or has a meaning of its own in every POSIX shell";
static const char commands[] = "holds commands that a shell runs";
static const char bash[] = "is read-only or has a meaning of its own in bash";
static const char zsh[] = "is read-only or has a meaning of its own in zsh";
static const char fish[] = "is read-only or has a meaning of its own in fish";
static const char tcsh[] = "is a variable of tcsh's own, which hides the environment's there";

static const struct refusal {
    const char *name, *reason;
} refusals[] = {
    {"PATH", "is rebuilt by conda, and a switch from one environment to another loses what a hook "
             "did to it"},
    {"CUDA_VISIBLE_DEVICES", "is what gpu.devices decides; name the GPUs there"},
    {"CUDA_DEVICE_ORDER",
     "is always PCI_BUS_ID, so that GPUs count as in nvidia-smi; name them in gpu.devices"},
    {"CONDA_PREFIX", conda},
    {"CONDA_", conda},
    {"_CONDA_ROOT", conda},
    {"__CONDA_GPU_0123abcd_AT_X", conda},
    {"_CE_M", conda},
    {"__conda_gpu_at", conda},
    {"_CONDOR_JOB_AD", job},
    {"SLURM_JOB_ID", job},
    {"SLURM_STEP_ID", job},
    {"SLURM_TASK_PID", job},
    {"PBS_JOBID", job},
    {"PJM_JOBID", job},
    {"JOB_ID", job},
    {"SGE_TASK_ID", job},
    {"LSB_JOBID", job},
    {"FLUX_JOB_ID", job},
    {"OAR_JOB_ID", job},
    {"_", posix},
    {"IFS", posix},
    {"PPID", posix},
    {"PWD", posix},
    {"ENV", commands},
    {"PS0", commands},
    {"PS1", commands},
    {"PROMPT_COMMAND", commands},
    {"then", tcsh},
    {"ARGV0", zsh},
    {"KSH_MATCH", "is read-only or has a meaning of its own in ksh"},
    {"UID", bash},
    {"SHELLOPTS", bash},
    {"BASH_ENV", commands},
    {"GID", zsh},
    {"path", zsh},
    {"status", fish},
    {"user", tcsh},
    {"prompt2", tcsh},
    {"history", fish},
    {"fish_pid", fish},
};

/* Names that only look like the refused ones. */
static const char *const allowed[] = {
    "PATHS", "CUDA_HOME",   "CONDAX", "MYCONDA_X", "SLURM_JOB_NAME",
    "_CEX",  "USER_STATUS", "IFSX",   "userid",    "LD_LIBRARY_PATH"};

static void check_behind(const char *start, const struct file *file)
{
    char text[1024];

    snprintf(text, sizeof text, "%s%s\n", start, file->text);
    sandbox_write(&box, "environment.yml", text);
    check_refused("environment.yml", 2, file->message);
}

START_TEST(wrong_file)
{
    sandbox_write(&box, "environment.yml", files[_i].text);
    check_refused("environment.yml", 2, files[_i].message);
}
END_TEST

START_TEST(wrong_section)
{
    sandbox_write(&box, "environment.yml", sections[_i].text);
    check_refused("environment.yml", 2, sections[_i].message);
}
END_TEST

START_TEST(wrong_item)
{
    check_behind("gpu:\n  devices: ", &items[_i]);
}
END_TEST

START_TEST(wrong_variable)
{
    check_behind("gpu:\n  devices: 1\n  variables: ", &variables[_i]);
}
END_TEST

START_TEST(refused_name)
{
    char text[128], message[256];
    const struct file file = {text, message};

    snprintf(text, sizeof text, "{%s: 1}", refusals[_i].name);
    snprintf(message, sizeof message, F "3:15: gpu.variables: '%s' %s\n", refusals[_i].name,
             refusals[_i].reason);
    check_behind("gpu:\n  devices: 1\n  variables: ", &file);
}
END_TEST

START_TEST(allowed_names)
{
    char text[512] = "gpu:\n  devices: 1\n  variables:\n";

    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        size_t length = strlen(text);
        snprintf(text + length, sizeof text - length, "    %s: 1\n", allowed[i]);
    }
    sandbox_write(&box, "environment.yml", text);
    struct outcome got = apply("environment.yml", NULL);
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
}
END_TEST

/* Bytes that are no text, with the place where they stand. */
#define MORE "# more than libyaml reads at a time, so that it notices at another place\n"
static const struct bytes {
    const char *text;
    size_t length;
    const char *message;
} bytes[] = {
#define BYTES(text, message)                                                                       \
    {                                                                                              \
        text, sizeof text - 1, message                                                             \
    }
    BYTES("name: caf\xe9\ngpu: {devices: 1}\n",
          F "1:10: not a text file: the byte 0xe9 is no UTF-8 here; save the file as UTF-8\n"),
    BYTES("# \xc3\xa9\nname: \xff\n",
          F "2:7: not a text file: the byte 0xff is no UTF-8 here; save the file as UTF-8\n"),
    BYTES("name: \"\xc3\xa9\x01\"\n",
          F "1:9: not a text file: the control character U+0001; remove it\n"),
    BYTES("\xef\xbb\xbfname: \x1b[31m\n",
          F "1:7: not a text file: the control character U+001B; remove it\n"),
    BYTES("name: pt\r\ngpu: {devices: 1}\x7f\r\n",
          F "2:18: not a text file: the control character U+007F; remove it\n"),
    BYTES("name: pt\ngpu: {devices: 1}\0\n",
          F "2:18: not a text file: the control character U+0000; remove it\n"),
    BYTES("\xfe\xff\0a\0:\0 \0b\0\n\0c\0:\0 \0\x01\0\n",
          F "2:4: not a text file: the control character U+0001; remove it\n"),
    BYTES("\xff\xfeg\0p\0u\0:\0 \0001\0\n\0a",
          F "2:1: not a text file: half of a UTF-16 character; save the file as UTF-8\n"),
    BYTES("name: \xc0\xaf\ngpu: {devices: 1}\n" MORE,
          F "1:7: not a text file: the byte 0xc0 is no UTF-8 here; save the file as UTF-8\n"),
    BYTES("name: pt\n# \xed\xa0\x80\n" MORE,
          F "2:3: not a text file: the byte 0xed is no UTF-8 here; save the file as UTF-8\n"),
    BYTES("name: \xef\xbf\xbe\n" MORE,
          F "1:7: not a text file: the control character U+FFFE; remove it\n"),
    BYTES("a: b\r\nc: d\re: \xff\n" MORE,
          F "3:4: not a text file: the byte 0xff is no UTF-8 here; save the file as UTF-8\n"),
    BYTES("\xff\xfeg\0:\0\r\0\n\0 \0\0\xdc"
          "1\0",
          F "2:2: not a text file: half of a UTF-16 character; save the file as UTF-8\n"),
};
#undef MORE

START_TEST(wrong_bytes)
{
    sandbox_write_bytes(&box, "environment.yml", bytes[_i].text, bytes[_i].length);
    check_refused("environment.yml", 2, bytes[_i].message);
}
END_TEST

/* Several mistakes, one run. */
START_TEST(all_errors_at_once)
{
    sandbox_write(&box, "environment.yml",
                  "name: pt\n"
                  "gpu:\n"
                  "  devices: [x, all]\n"
                  "  ids: y\n"
                  "  colour: red\n"
                  "  variables:\n"
                  "    PATH: a\n"
                  "    B: {prepend: 1, append: 2}\n"
                  "    C: [1]\n"
                  "  ids: uuid\n");
    check_refused(
        "environment.yml", 2,
        F "3:13: gpu.devices: found 'x'; accepted: " ITEM F
          "3:16: gpu.devices: 'all' stands beside other items; write it alone, or leave it out\n" F
          "4:8: gpu.ids: found 'y'; accepted: index or uuid\n" F
          "5:3: gpu: unknown key 'colour'; " KEYS F
          "7:5: gpu.variables: 'PATH' is rebuilt by conda, and a switch from one environment to "
          "another loses what a hook did to it\n" F
          "8:8: gpu.variables.B: both prepend and append; write {prepend: TEXT} or {append: "
          "TEXT}\n" F "9:8: gpu.variables.C: found a list; accepted: " VALUE F
          "10:3: gpu: the key 'ids' stands here a second time; remove one of the two\n");
}
END_TEST

/* A flood of mistakes ends, and says that there are more. */
START_TEST(many_errors)
{
    char text[4096] = "gpu:\n  devices: 1\n  variables:\n";

    for (int i = 0; i < 60; i++) {
        size_t length = strlen(text);
        snprintf(text + length, sizeof text - length, "    %dA: 1\n", i);
    }
    sandbox_write(&box, "environment.yml", text);
    struct outcome got = apply("environment.yml", NULL);
    ck_assert_int_eq(got.status, 2);
    ck_assert_ptr_nonnull(strstr(got.err, F "4:5: gpu.variables: '0A' " NO_NAME));
    ck_assert_ptr_nonnull(strstr(got.err, F "53:5: gpu.variables: '49A' " NO_NAME));
    static const char last[] = "environment.yml: there may be more errors; mend these first\n";
    ck_assert_uint_gt(got.err_length, strlen(last));
    ck_assert_str_eq(got.err + got.err_length - strlen(last), last);
    outcome_free(&got);
}
END_TEST

/* Sizes: what is too much is refused with its limit, and a small file costs little. */

START_TEST(too_large)
{
    enum { LIMIT = 16 << 20 };
    char *text = malloc(LIMIT + 1);

    memset(text, '#', LIMIT + 1);
    sandbox_write_bytes(&box, "environment.yml", text, LIMIT + 1);
    check_refused("environment.yml", 2,
                  "environment.yml: larger than 16 MiB; an environment file is not\n");
    free(text);
}
END_TEST

static const struct {
    const char *start, *end, *message;
} long_values[] = {
    {"", "",
     F "3:18: gpu.variables.A: the value has 120001 bytes; at most 120000 are accepted, "
       "since Linux starts no program with a much longer one\n"},
    {"{append: ", "}",
     F "3:27: gpu.variables.A.append: the value has 120001 bytes; at most 120000 are accepted, "
       "since Linux starts no program with a much longer one\n"},
};

START_TEST(long_value)
{
    enum { SIZE = 120001 + 200 };
    char *text = malloc(SIZE);

    snprintf(text, SIZE, "gpu:\n  devices: 1\n  variables: {A: %s%0120001d%s}\n",
             long_values[_i].start, 0, long_values[_i].end);
    sandbox_write(&box, "environment.yml", text);
    check_refused("environment.yml", 2, long_values[_i].message);
    free(text);
}
END_TEST

START_TEST(many_variables)
{
    enum { SIZE = 1001 * 12 + 100 };
    char *text = malloc(SIZE);
    size_t length = (size_t)snprintf(text, SIZE, "gpu:\n  devices: 1\n  variables:\n");

    for (int i = 0; i < 1001; i++)
        length += (size_t)snprintf(text + length, SIZE - length, "    A%d: 1\n", i);
    sandbox_write(&box, "environment.yml", text);
    check_refused("environment.yml", 2,
                  F "4:5: gpu.variables: 1001 variables; at most 1000 are accepted\n");
    free(text);
}
END_TEST

/* 100 KB of file with 100 aliases must not become 10 MB of values, which no environment holds. */
START_TEST(alias_bomb)
{
    enum { LONG = 100000, SIZE = LONG + 100 * 14 + 100 };
    char *text = malloc(SIZE);
    size_t length = (size_t)snprintf(
        text, SIZE, "gpu:\n  devices: 1\n  variables:\n    A: &a '%0100000d'\n", 0);

    for (int i = 0; i < 100; i++)
        length += (size_t)snprintf(text + length, SIZE - length, "    A%d: *a\n", i);
    sandbox_write(&box, "environment.yml", text);
    free(text);
    check_refused("environment.yml", 2,
                  F "4:5: gpu.variables: the values have 10100000 bytes together; at most 500000 "
                    "are accepted, since Linux starts no program with many more\n");
}
END_TEST

/* Mappings that merge each other in every order, and each the next ten times. */
START_TEST(merge_bomb)
{
    struct strbuf text = STRBUF_INIT;

    for (int i = 0; i < 90; i++) {
        strbuf_addf(&text, "m%d: &m%d {K%d: x, <<: [", i, i, i);
        for (int j = 0; j < 10 && i; j++)
            strbuf_addf(&text, "*m%d, ", j % 2 ? i - 1 : j % i);
        strbuf_adds(&text, "]}\n");
    }
    strbuf_adds(&text, "gpu: {devices: 1, variables: {<<: [*m89, *m0, *m89]}}\n");
    sandbox_write(&box, "environment.yml", strbuf_text(&text));
    strbuf_release(&text);
    struct outcome got = apply("environment.yml", "-v");
    ck_assert_int_eq(got.status, 0);
    ck_assert_ptr_nonnull(strstr(got.out, "set        K89=x\n"));
    ck_assert_ptr_nonnull(strstr(got.out, "\nset        K0=x\n"));
    outcome_free(&got);
}
END_TEST

START_TEST(alias_loops)
{
    sandbox_write(&box, "environment.yml",
                  "a: &a [&b [*a, *a], *b, *b]\ngpu: &g {devices: 1, variables: {X: *g}}\n");
    check_refused("environment.yml", 2,
                  F "2:10: gpu.variables.X: unknown key 'devices'; " JOIN_KEYS F
                    "2:22: gpu.variables.X: unknown key 'variables'; " JOIN_KEYS);
}
END_TEST

/* 20,000 items that name one device are one message or a few, not megabytes. */
START_TEST(many_items)
{
    enum { ITEMS = 20000, SIZE = ITEMS * 2 + 100 };
    char *text = malloc(SIZE);
    size_t length = (size_t)snprintf(text, SIZE, "gpu:\n  devices: [1");

    for (int i = 0; i < ITEMS; i++)
        length += (size_t)snprintf(text + length, SIZE - length, ",1");
    snprintf(text + length, SIZE - length, "]\n");
    sandbox_write(&box, "environment.yml", text);
    free(text);
    struct outcome got = apply("environment.yml", NULL);
    ck_assert_int_eq(got.status, 2);
    ck_assert_msg(got.err_length < 100000, "%zu bytes of messages", got.err_length);
    outcome_free(&got);
}
END_TEST

/* Which file. */

START_TEST(no_file)
{
    struct outcome got = conda_gpu(&box, NULL, "apply", "-p", "envs/pt", NULL);

    ck_assert_str_eq(
        got.err,
        "no environment.yml, environment.yaml or gpu.yml in this folder; go to the one that "
        "has it, or name the file with -f\n");
    ck_assert_int_eq(got.status, 2);
    outcome_free(&got);
}
END_TEST

static const struct file unreadable[] = {
    {"missing.yml",
     "missing.yml: cannot read the file: No such file or directory; name another with -f\n"},
    {"envs", "envs: cannot read the file: Is a directory; name another with -f\n"},
    {"envs/pt/conda-meta/history",
     "envs/pt/conda-meta/history: the file is empty; an environment file is a mapping such as "
     "'name: pt'\n"},
    {"/dev/null",
     "/dev/null: the file is empty; an environment file is a mapping such as 'name: pt'\n"},
    {"a\033b", "a\\x1bb: cannot read the file: No such file or directory; name another with -f\n"},
};

START_TEST(unreadable_file)
{
    check_refused(unreadable[_i].text, 2, unreadable[_i].message);
}
END_TEST

#define BOTH "reading environment.yml, though there is environment.yaml too; -f chooses\n"

/* environment.yml before environment.yaml; a folder in its place is no reason to take the other. */
START_TEST(usual_names)
{
    sandbox_write(&box, "environment.yaml", "gpu: {devices: x}\n");
    struct outcome got = conda_gpu(&box, NULL, "apply", "-p", "envs/pt", NULL);
    ck_assert_str_eq(got.err, "environment.yaml:1:16: gpu.devices: found 'x'; accepted: " DEVICES);
    outcome_free(&got);

    sandbox_write(&box, "environment.yml", "gpu: {devices: y}\n");
    got = conda_gpu(&box, NULL, "apply", "-p", "envs/pt", NULL);
    ck_assert_str_eq(got.err, F "1:16: gpu.devices: found 'y'; accepted: " DEVICES "  " BOTH);
    outcome_free(&got);
    got = conda_gpu(&box, NULL, "apply", "-f", "environment.yml", "-p", "envs/pt", NULL);
    ck_assert_str_eq(got.err, F "1:16: gpu.devices: found 'y'; accepted: " DEVICES);
    outcome_free(&got);

    sandbox_write(&box, "environment.yml", "gpu: {devices: none}\n");
    got = conda_gpu(&box, NULL, "apply", "-p", "envs/pt", NULL);
    ck_assert_str_eq(got.err, "note: " BOTH);
    outcome_free(&got);
}
END_TEST

START_TEST(folder_as_file)
{
    sandbox_write(&box, "environment.yml/x", "");
    sandbox_write(&box, "environment.yaml", "gpu: {devices: 1}\n");
    struct outcome got = conda_gpu(&box, NULL, "apply", "-p", "envs/pt", NULL);
    ck_assert_str_eq(
        got.err, "environment.yml: cannot read the file: Is a directory; name another with -f\n");
    ck_assert_int_eq(got.status, 2);
    outcome_free(&got);
}
END_TEST

/* Right files in all forms. What is set is shown by -v. */

#define SET(visible)                                                                               \
    "set        CUDA_DEVICE_ORDER=PCI_BUS_ID\nset        CUDA_VISIBLE_DEVICES=" visible "\n"

static const struct form {
    const char *text;
    size_t length;
    const char *set; /* the lines of -v */
} forms[] = {
#define FORM(text, set)                                                                            \
    {                                                                                              \
        text, sizeof text - 1, set                                                                 \
    }
    FORM("gpu:\n  devices: [1, 3]\n", SET("1,3")),
    FORM("gpu: {devices: 1}", SET("1")),
    FORM("---\ngpu: {devices: 1}\n...\n", SET("1")),
    FORM("%YAML 1.1\n---\ngpu: {devices: 1}\n", SET("1")),
    FORM("\xef\xbb\xbf# \xc3\xa9\ngpu:\n  devices: [1, 3]\n", SET("1,3")),
    FORM("name: pt\r\ngpu:\r\n  devices: [1, 3]\r\n  variables:\r\n    A: x\r\n",
         SET("1,3") "set        A=x\n"),
    FORM("gpu:\r  devices: 2\r", SET("2")),
    FORM("\xff\xfe"
         "g\0p\0u\0:\0 \0{\0d\0e\0v\0i\0c\0e\0s\0:\0 \0003\0}\0\r\0\n\0",
         SET("3")),
    FORM("\xfe\xff\0g\0p\0u\0:\0 \0{\0d\0e\0v\0i\0c\0e\0s\0:\0 \0003\0}\0\n", SET("3")),
    FORM("\xfe\xff\0g\0p\0u\0:\0 \0{\0d\0e\0v\0i\0c\0e\0s\0:\0 \0001\0,"
         "\0v\0a\0r\0i\0a\0b\0l\0e\0s\0:\0 \0{\0A\0:\0 \0\xe9\xd8\x3d\xde\x00\0}\0}\0\n",
         SET("1") "set        A=\xc3\xa9\xf0\x9f\x98\x80\n"),
    FORM("x: &which [3, 1]\ngpu: {devices: *which}\n", SET("3,1")),
    FORM("gpu: &all {devices: 1, variables: {A: &a 8, B: *a}}\n",
         SET("1") "set        A=8\nset        B=8\n"),
    FORM("x: &gpu {devices: 0}\ngpu: *gpu\n", SET("0")),
    FORM("x: &gpu {devices: 0, ids: uuid}\ngpu: {<<: *gpu, devices: 3, ids: index}\n", SET("3")),
    FORM("x: &x {devices: 0}\ny: &y {devices: 1, ids: index}\ngpu: {<<: [*x, *y]}\n", SET("0")),
    FORM("x: &x {gpu: {devices: 2}}\n<<: *x\n", SET("2")),
    FORM("x: &x {A: 1, B: 2}\ngpu: {devices: 1, variables: {A: 3, <<: *x}}\n",
         SET("1") "set        A=3\nset        B=2\n"),
    FORM("x: &x {name: T*}\ngpu: &g {devices: 1, <<: *g, <<: [*g, {ids: index}]}\n", SET("1")),
    FORM("gpu: {devices: !!int 1, ids: ! index, variables: {A: !!str null, B: !!null x, C: ! ~, "
         "D: !<tag:yaml.org,2002:str> '', E: !!str }}\n",
         SET("1") "set        A=null\nunset      B\nset        C=~\nset        D=\n"
                  "set        E=\n"),
    FORM("? gpu\n: {devices: [1]}\n", SET("1")),
    FORM("'gpu': {\"devices\": '2'}\n", SET("2")),
    FORM("gpu: {devices: 1, ids: uuid}\n", SET("GPU-8932f937-d72c-4106-c12f-20bd9faed9f6")),
    FORM("gpu: {devices: 1, if_no_gpu: error, in_job: override, ids: index}\n", SET("1")),
    FORM("gpu: {devices: [1]}\nname: [a, b]\ndependencies: {a: }\n[x]: y\n", SET("1")),
    FORM("gpu: {devices: 1}\nname: pt\nname: other\ndependencies:\ndependencies:\n", SET("1")),
    FORM("dependencies: [{pip: [a]}, !!python/object:os.system b]\ngpu: {devices: 1}\n", SET("1")),
    FORM(
        "gpu:\n  devices: 1\n  variables:\n    A: 08\n    B: true\n    C: 1e3\n    D: 0x1F\n"
        "    E: 2001-01-01\n    F: 1:30\n    G: yes\n    H: .5\n",
        SET("1") "set        A=08\nset        B=true\nset        C=1e3\nset        D=0x1F\n"
                 "set        E=2001-01-01\nset        F=1:30\nset        G=yes\nset        H=.5\n"),
    FORM("gpu:\n  devices: 1\n  variables:\n    A: null\n    B: ~\n    C:\n    D: Null\n    E: ''\n"
         "    F: 'null'\n    G: \"~\"\n",
         SET("1") "unset      A\nunset      B\nunset      C\nunset      D\nset        E=\n"
                  "set        F=null\nset        G=~\n"),
    FORM(
        "gpu:\n  devices: 1\n  variables:\n    A: |\n      two\n      lines\n    B: >-\n      one\n"
        "      line\n    C: $(x) `x` \"q\" ${CONDA_PREFIX}\n    D: \"\\t\\e\\u202e\"\n",
        SET("1") "set        A=two\\nlines\\n\nset        B=one line\n"
                 "set        C=$(x) `x` \"q\" ${CONDA_PREFIX}\n"
                 "set        D=\\t\\x1b\\xe2\\x80\\xae\n"),
    FORM(
        "gpu:\n  devices: 1\n  variables:\n    A: {prepend: x}\n    B: {append: y, separator: ''}\n"
        "    C: {prepend: 1, separator: ' '}\n",
        SET("1") "prepend    A=x\nappend     B=y\nprepend    C=1\n"),
};

START_TEST(right_file)
{
    const struct form *form = &forms[_i];

    sandbox_write_bytes(&box, "gpu.yml", form->text, form->length);
    struct outcome got = apply("gpu.yml", "-v");
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    const char *set = strstr(got.out, "set        CUDA_DEVICE_ORDER");
    const char *end = strstr(got.out, "written ");
    ck_assert(set && end);
    char *shown = strndup(set, (size_t)(end - set));
    ck_assert_str_eq(shown, form->set);
    free(shown);
    outcome_free(&got);
}
END_TEST

/* What a shell would replace in a value and a hook does not: noted, or an error with the right
   spelling. */
#define AT(column)      "gpu.yml:4:" column ": gpu.variables.A: "
#define IN(column, key) "gpu.yml:4:" column ": gpu.variables.A." key ": "
#define ONLY            "only ${CONDA_PREFIX}, ${HOME} and ${USER} are replaced, so "
#define AS_IT_IS        " stands in the value as it is"
#define ITSELF                                                                                     \
    "the value of a variable is not replaced in itself; to add to what is there before, write "

static const struct {
    const char *text, *message;
    int status;
} references[] = {
    {"${CONDA_PREFIX}/${HOME}:${USER}", "", 0},
    {"${} ${-x} $ $1 ${1} $$ a$", "", 0},
    {"~", "", 0},
    {"x~/y", "", 0},
    {"$HOME/x", "note: " AT("8") ONLY "$HOME" AS_IT_IS "; write ${HOME}\n", 0},
    {"x${LANG}:$B", "note: " AT("8") ONLY "${LANG}" AS_IT_IS "\n", 0},
    {"${HOME:-/x}", "note: " AT("8") ONLY "${HOME}" AS_IT_IS "; write ${HOME}\n", 0},
    {"{prepend: '${CONDA_PREFIX}${CONDA_PREFIX_1}'}",
     "note: " IN("18", "prepend") ONLY "${CONDA_PREFIX_1}" AS_IT_IS "\n", 0},
    {"$AB", "note: " AT("8") ONLY "$AB" AS_IT_IS "\n", 0},
    {"~/lib", AT("8") "~ is not replaced; write ${HOME}/lib\n", 2},
    {"$CONDA_PREFIX/lib",
     AT("8") "$CONDA_PREFIX is not replaced without braces; write ${CONDA_PREFIX}\n", 2},
    {"/x:$A", AT("8") ITSELF "{prepend: \"/x\"}\n", 2},
    {"${A}:/x:/y", AT("8") ITSELF "{append: \"/x:/y\"}\n", 2},
    {"x${A:+:$A}", AT("8") ITSELF "{prepend: TEXT}\n", 2},
    {"{append: 'x:$A', separator: ' '}", IN("17", "append") ITSELF "{prepend: \"x\"}\n", 2},
};

START_TEST(note_on_reference)
{
    char text[256];

    snprintf(text, sizeof text, "gpu:\n  devices: 1\n  variables:\n    A: %s\n",
             references[_i].text);
    sandbox_write(&box, "gpu.yml", text);
    struct outcome got = apply("gpu.yml", NULL);
    ck_assert_str_eq(got.err, references[_i].message);
    ck_assert_int_eq(got.status, references[_i].status);
    outcome_free(&got);
}
END_TEST

/* A key with a NUL in it is another key, not the one that it begins with. */
static const struct file nul_keys[] = {
    {"gpu: {devices: 1, \"ids\\0\": uuid}\n", F "1:19: gpu: "},
    {"gpu: {\"devices\\0x\": 1}\n", F "1:7: gpu: "},
    {"\"gpu\\0\": {devices: 1}\n", F " no 'gpu:' section"},
    {"gpu: {devices: {\"name\\0\": x}}\n", F "1:17: gpu.devices: "},
};

START_TEST(nul_in_key)
{
    sandbox_write(&box, "environment.yml", nul_keys[_i].text);
    struct outcome got = apply("environment.yml", NULL);
    ck_assert_int_eq(got.status, 2);
    ck_assert_int_eq(strncmp(got.err, nul_keys[_i].message, strlen(nul_keys[_i].message)), 0);
    ck_assert(!sandbox_has(&box, "envs/pt/etc"));
    outcome_free(&got);
}
END_TEST

#define LOOP(tests, test, table) tcase_add_loop_test(tests, test, 0, sizeof table / sizeof *table)

static Suite *suite(void)
{
    Suite *suite = suite_create("command line: files");
    TCase *tests = tcase_create("");

    sandboxed_with_environment(tests);
    LOOP(tests, wrong_file, files);
    LOOP(tests, wrong_section, sections);
    LOOP(tests, wrong_item, items);
    LOOP(tests, wrong_variable, variables);
    LOOP(tests, refused_name, refusals);
    tcase_add_test(tests, allowed_names);
    LOOP(tests, wrong_bytes, bytes);
    tcase_add_test(tests, all_errors_at_once);
    tcase_add_test(tests, many_errors);
    tcase_add_test(tests, too_large);
    LOOP(tests, long_value, long_values);
    tcase_add_test(tests, many_variables);
    tcase_add_test(tests, alias_bomb);
    tcase_add_test(tests, merge_bomb);
    tcase_add_test(tests, alias_loops);
    tcase_add_test(tests, many_items);
    tcase_add_test(tests, no_file);
    LOOP(tests, unreadable_file, unreadable);
    tcase_add_test(tests, usual_names);
    tcase_add_test(tests, folder_as_file);
    LOOP(tests, right_file, forms);
    LOOP(tests, note_on_reference, references);
    LOOP(tests, nul_in_key, nul_keys);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
