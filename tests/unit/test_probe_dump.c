/* Dumps are mended for drgn, and what is not as QEMU writes it is refused and left alone. */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include <klinic/cleanup.h>

#include "probe/internal.h"

#define RAM	  8192
#define PRSTATUS  336
#define REGISTERS 112

/* As dump-guest-memory writes one: header, two program headers, notes, memory. */
struct core {
	Elf64_Ehdr head;
	Elf64_Phdr ph[2];
	struct {
		Elf64_Nhdr n;
		char name[8];
		uint8_t desc[PRSTATUS];
	} registers;
	struct {
		Elf64_Nhdr n;
		char name[12];
		char desc[16];
	} vmcoreinfo;
	uint8_t ram[RAM];
};

static const struct kp_kernel kernel = { .release = "6.1.192-x", .page_table = 0xffffffff82215000 };

static void make(struct core *c)
{
	*c = (struct core){
		.head = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			  .e_type = ET_CORE,
			  .e_machine = EM_X86_64,
			  .e_version = EV_CURRENT,
			  .e_phoff = offsetof(struct core, ph),
			  .e_ehsize = sizeof(Elf64_Ehdr),
			  .e_phentsize = sizeof(Elf64_Phdr),
			  .e_phnum = 2 },
		.ph = { { .p_type = PT_NOTE,
			  .p_offset = offsetof(struct core, registers),
			  .p_filesz =
				  offsetof(struct core, ram) - offsetof(struct core, registers) },
			{ .p_type = PT_LOAD,
			  .p_offset = offsetof(struct core, ram),
			  .p_filesz = RAM,
			  .p_memsz = RAM } },
		.registers = { .n = { 5, PRSTATUS, NT_PRSTATUS }, .name = "CORE" },
		.vmcoreinfo = { .n = { 11, 16, 0 },
				.name = "VMCOREINFO",
				.desc = "OSRELEASE=evil\n" },
	};
	memset(c->registers.desc + REGISTERS, 0xab, 168);
	memset(c->ram, 0x5a, RAM);
}

static int file_of(const void *data, size_t len)
{
	int fd = memfd_create("core", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, len, 0), len);
	return fd;
}

static void test_memory_is_mapped_twice_and_the_note_is_the_hosts(void **state)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf regs = KL_BUF_INIT;
	struct kl_error err = KL_ERROR_INIT;
	char note[600] = "";
	Elf64_Phdr ph[3];
	Elf64_Ehdr head;
	struct core c;

	(void)state;
	make(&c);
	KL_AUTO_CLOSE int fd = file_of(&c, sizeof(c));
	assert_int_equal(kp_mend(fd, &kernel, &regs, &err), 0);
	assert_int_equal(pread(fd, &head, sizeof(head), 0), sizeof(head));
	assert_int_equal(head.e_phnum, 3);
	assert_int_equal(pread(fd, ph, sizeof(ph), (off_t)head.e_phoff), sizeof(ph));
	assert_int_equal(ph[0].p_type, PT_NOTE);
	assert_int_equal(ph[1].p_vaddr, 0xffffffff80000000);
	assert_int_equal(ph[2].p_vaddr, 0xffff888000000000);
	for (int i = 1; i < 3; i++) {
		assert_int_equal(ph[i].p_type, PT_LOAD);
		assert_int_equal(ph[i].p_paddr, 0);
		assert_int_equal(ph[i].p_offset, offsetof(struct core, ram));
		assert_int_equal(ph[i].p_filesz, RAM);
	}
	assert_in_range(ph[0].p_filesz, 100, sizeof(note) - 1);
	assert_int_equal(pread(fd, note, ph[0].p_filesz, (off_t)ph[0].p_offset), ph[0].p_filesz);
	assert_string_equal(note + sizeof(Elf64_Nhdr), "VMCOREINFO");
	assert_non_null(strstr(note + 24, "OSRELEASE=6.1.192-x\n"));
	assert_non_null(strstr(note + 24, "SYMBOL(swapper_pg_dir)=ffffffff82215000\n"));
	/* As much as struct pt_regs, once: there is one CPU. */
	assert_int_equal(regs.len, 2 * 168);
	assert_memory_equal(regs.data, "abababab", 8);
}

static void refuse(const struct core *c, size_t len, const char *words)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf regs = KL_BUF_INIT;
	KL_AUTO_CLOSE int fd = file_of(c, len);
	struct kl_error err = KL_ERROR_INIT;
	struct core after;

	assert_int_equal(kp_mend(fd, &kernel, &regs, &err), -1);
	assert_int_equal(err.class, KL_INFRA);
	if (!strstr(err.message, words))
		fail_msg("“%s” does not speak of “%s”", err.message, words);
	assert_int_equal(lseek(fd, 0, SEEK_END), len);
	assert_int_equal(pread(fd, &after, len, 0), len);
	assert_memory_equal(&after, c, len);
}

static void test_what_is_no_core_of_an_x86_64_is_refused(void **state)
{
	struct core c;

	(void)state;
	make(&c);
	c.head.e_ident[0] = 'M';
	refuse(&c, sizeof(c), "no ELF core");
	make(&c);
	c.head.e_ident[EI_CLASS] = ELFCLASS32;
	refuse(&c, sizeof(c), "no ELF core");
	make(&c);
	c.head.e_type = ET_EXEC;
	refuse(&c, sizeof(c), "no ELF core");
	make(&c);
	c.head.e_machine = EM_AARCH64;
	refuse(&c, sizeof(c), "no ELF core");
}

static void test_program_headers_that_lie_are_refused(void **state)
{
	struct core c;

	(void)state;
	make(&c);
	c.head.e_phnum = 0;
	refuse(&c, sizeof(c), "size or number");
	make(&c);
	c.head.e_phnum = 0xffff;
	refuse(&c, sizeof(c), "size or number");
	make(&c);
	c.head.e_phentsize = 8;
	refuse(&c, sizeof(c), "size or number");
	make(&c);
	c.head.e_phoff = UINT64_MAX - 8;
	refuse(&c, sizeof(c), "cut off");
	make(&c);
	c.ph[1].p_filesz = UINT64_MAX;
	refuse(&c, sizeof(c), "behind its end");
	make(&c);
	c.ph[1].p_offset = sizeof(c) + 1;
	refuse(&c, sizeof(c), "behind its end");
	make(&c);
	c.ph[1].p_paddr = 4096;
	refuse(&c, sizeof(c), "physical zero");
}

static void test_notes_that_lie_are_refused(void **state)
{
	struct core c;

	(void)state;
	make(&c);
	c.registers.n.n_namesz = UINT32_MAX;
	refuse(&c, sizeof(c), "note behind its end");
	make(&c);
	c.registers.n.n_descsz = UINT32_MAX - 2;
	refuse(&c, sizeof(c), "note behind its end");
	make(&c);
	c.vmcoreinfo.n.n_descsz = 17;
	refuse(&c, sizeof(c), "note behind its end");
}

static void test_a_dump_cut_off_anywhere_is_refused(void **state)
{
	struct core c;

	(void)state;
	make(&c);
	for (size_t len = 0; len < sizeof(c); len += len < 1024 ? 1 : 997)
		refuse(&c, len, "");
}

static void test_registers_of_more_cpus_than_there_can_be_are_left_out(void **state)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf regs = KL_BUF_INIT, file = KL_BUF_INIT;
	struct kl_error err = KL_ERROR_INIT;
	struct core c;

	(void)state;
	make(&c);
	c.ph[0].p_offset = sizeof(c);
	c.ph[0].p_filesz = 100 * sizeof(c.registers);
	kl_buf_append(&file, &c, sizeof(c));
	for (int i = 0; i < 100; i++)
		kl_buf_append(&file, &c.registers, sizeof(c.registers));
	KL_AUTO_CLOSE int fd = file_of(file.data, file.len);
	assert_int_equal(kp_mend(fd, &kernel, &regs, &err), 0);
	assert_int_equal(regs.len, 8 * 2 * 168 + 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_is_mapped_twice_and_the_note_is_the_hosts),
		cmocka_unit_test(test_what_is_no_core_of_an_x86_64_is_refused),
		cmocka_unit_test(test_program_headers_that_lie_are_refused),
		cmocka_unit_test(test_notes_that_lie_are_refused),
		cmocka_unit_test(test_a_dump_cut_off_anywhere_is_refused),
		cmocka_unit_test(test_registers_of_more_cpus_than_there_can_be_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
