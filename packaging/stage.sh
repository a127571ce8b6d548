# stage FOLDER PREFIX LIBDIR: puts library, headers, pkg-config files and CMake package there, as they are to be packed.
# PREFIX is what the pkg-config files say; LIBDIR is where libraries are below FOLDER.
stage() {
    local folder=$1 prefix=$2 libdir=$3 from=$root/build/packaging/lib/$architecture template to_prefix
    # The way back from LIBDIR, for what finds its prefix by where it is.
    to_prefix=$(realpath -ms --relative-to="/$libdir" /)
    install -d "$folder/include" "$folder/$libdir/pkgconfig" "$folder/$libdir/cmake/mvx_metrics"
    install -m 644 "$root/include/mvx_metrics.h" "$root/bindings/cpp/include/mvx_metrics.hpp" "$folder/include"
    install -m 644 "$from/libmvx_metrics.a" "$folder/$libdir"
    install -m 644 "$from/libmvx_metrics.so" "$folder/$libdir/libmvx_metrics.so.$version"
    ln -sf "libmvx_metrics.so.$version" "$folder/$libdir/$soname"
    ln -sf "$soname" "$folder/$libdir/libmvx_metrics.so"
    [ "$prefix" != relocatable ] || prefix="\${pcfiledir}/../$to_prefix"
    for template in "$packaging"/templates/*.in; do
        local name=${template##*/}
        name=${name%.in}
        case $name in
        *.pc) name=pkgconfig/$name ;;
        *.cmake) name=cmake/mvx_metrics/$name ;;
        esac
        sed -e "s|@PREFIX@|$prefix|" -e "s|@LIBDIR@|\${prefix}/$libdir|" -e "s|@VERSION@|$version|" -e "s|@MAJOR@|${version%%.*}|" \
            -e "s|@SONAME@|$soname|" -e "s|@TO_PREFIX@|$to_prefix|" "$template" >"$folder/$libdir/$name"
        chmod 644 "$folder/$libdir/$name"
    done
}
