# The targets of an installed package, and of the sources in somebody's project. Whoever includes it sets
#
#   _mvx_shared     the shared library
#   _mvx_soname     the name by which programs look for it
#   _mvx_static     the static library; empty where there is none
#   _mvx_includes   the folders with the headers
#   _mvx_scope      GLOBAL where the targets are for more than the folder that asks for them; else empty
add_library(mvx_metrics::mvx_metrics SHARED IMPORTED ${_mvx_scope})
set_target_properties(mvx_metrics::mvx_metrics PROPERTIES
    IMPORTED_LOCATION "${_mvx_shared}"
    IMPORTED_SONAME "${_mvx_soname}"
    INTERFACE_INCLUDE_DIRECTORIES "${_mvx_includes}"
    INTERFACE_LINK_LIBRARIES Threads::Threads)

add_library(mvx_metrics::mvx_metrics_cpp INTERFACE IMPORTED ${_mvx_scope})
set_target_properties(mvx_metrics::mvx_metrics_cpp PROPERTIES
    INTERFACE_COMPILE_FEATURES cxx_std_17
    INTERFACE_LINK_LIBRARIES mvx_metrics::mvx_metrics)

if(_mvx_static)
    add_library(mvx_metrics::mvx_metrics_static STATIC IMPORTED ${_mvx_scope})
    set_target_properties(mvx_metrics::mvx_metrics_static PROPERTIES
        IMPORTED_LOCATION "${_mvx_static}"
        IMPORTED_LINK_INTERFACE_LANGUAGES C
        INTERFACE_INCLUDE_DIRECTORIES "${_mvx_includes}"
        INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS};rt;m")
endif()
