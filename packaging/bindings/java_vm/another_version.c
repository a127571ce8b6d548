/* A library under the name of ours that lacks most of it: for tests of what is said then. */
__declspec(dllexport) unsigned mvx_abi_version(void)
{
    return 0;
}
