/* The emulator's argument list, held against golden files. KLINIC_GOLDEN_UPDATE=1 rewrites them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>
#include <klinic/vm.h>

static void holds(const char *name, enum kl_mode mode, bool kvm, enum kl_vm_role role)
{
	char bzimage[] = "KERNEL", initramfs[] = "INITRAMFS", vmlinux[] = "", qemu[] = "QEMU";
	const struct kl_machine m = { .mode = mode,
				      .kvm = kvm,
				      .bzimage = bzimage,
				      .initramfs = initramfs,
				      .vmlinux = vmlinux,
				      .qemu = qemu };
	const struct kl_vm_paths paths = { "RAM", "MAILBOX", "CONSOLE", "3" };
	KL_AUTO(kl_strv_deinit) struct kl_strv argv = { 0 };
	KL_AUTO(kl_buf_deinit) struct kl_buf text = KL_BUF_INIT, want = KL_BUF_INIT;
	KL_AUTO_FREE char *path = kl_asprintf("tests/golden/vm/%s.args", name);
	struct kl_error err = KL_ERROR_INIT;

	assert_int_equal(kl_vm_argv(&m, role, &paths, &argv, &err), 0);
	for (size_t i = 0; i < argv.n; i++)
		kl_buf_printf(&text, "%s%c", argv.v[i],
			      i + 1 < argv.n && argv.v[i + 1][0] != '-' && argv.v[i][0] == '-'
				      ? ' '
				      : '\n');
	if (getenv("KLINIC_GOLDEN_UPDATE"))
		assert_int_equal(kl_file_write(path, text.data, text.len, 0644, &err), 0);
	assert_int_equal(kl_file_read(path, 65536, &want, &err), 0);
	assert_string_equal(kl_buf_str(&text), kl_buf_str(&want));
}

static void test_exact_template_arguments(void **state)
{
	(void)state;
	holds("exact-template", KL_MODE_EXACT, false, KL_VM_TEMPLATE);
}

static void test_exact_fork_arguments(void **state)
{
	(void)state;
	holds("exact-fork", KL_MODE_EXACT, false, KL_VM_FORK);
}

static void test_parallel_fork_arguments(void **state)
{
	(void)state;
	holds("parallel-fork", KL_MODE_PARALLEL, false, KL_VM_FORK);
}

static void test_kvm_probe_arguments(void **state)
{
	(void)state;
	holds("kvm-probe", KL_MODE_PARALLEL, true, KL_VM_PROBE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact_template_arguments),
		cmocka_unit_test(test_exact_fork_arguments),
		cmocka_unit_test(test_parallel_fork_arguments),
		cmocka_unit_test(test_kvm_probe_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
