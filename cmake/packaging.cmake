# What `cmake --install` puts where, and the Debian package that `cpack` (make package) makes of it.
# The program finds its helpers as ../libexec/pyro beside itself, so any prefix works.
set(pyro_libexec ${CMAKE_INSTALL_LIBEXECDIR}/pyro)
if(TARGET pyro)
  install(TARGETS pyro RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  # Completion and manual come from the program's own table of commands.
  set(pyro_pages ${PROJECT_BINARY_DIR}/generated/pages)
  file(MAKE_DIRECTORY ${pyro_pages})
  add_custom_command(
    OUTPUT ${pyro_pages}/pyro.bash ${pyro_pages}/pyro.1
    COMMAND pyro completion bash > ${pyro_pages}/pyro.bash
    COMMAND pyro man > ${pyro_pages}/pyro.1
    DEPENDS pyro VERBATIM)
  add_custom_target(pyro_pages ALL DEPENDS ${pyro_pages}/pyro.bash ${pyro_pages}/pyro.1)
  install(FILES ${pyro_pages}/pyro.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME pyro)
  install(FILES ${pyro_pages}/pyro.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endif()
foreach(helper pyro_supervisor pyro_supervisor_firecracker pyro_agent pyro_launcher_program)
  if(TARGET ${helper})
    install(TARGETS ${helper} RUNTIME DESTINATION ${pyro_libexec})
  endif()
endforeach()
install(DIRECTORY schemas/ DESTINATION ${CMAKE_INSTALL_DATADIR}/pyro/schemas FILES_MATCHING PATTERN "*.json")
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR} USE_SOURCE_PERMISSIONS)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md")
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME pyro)
set(CPACK_PACKAGE_VENDOR pyro)
set(CPACK_PACKAGE_CONTACT "The pyro developers <pyro@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "declarative, disposable workspaces")
set(CPACK_PACKAGE_DESCRIPTION
    "A repository carries a pyro.yaml: environment, seed, services, snapshots.\n\
pyro apply makes it true in an isolated sandbox, and pyro reset goes back.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "uidmap, passt | slirp4netns, mmdebstrap")
include(CPack)
